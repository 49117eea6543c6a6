-- Treatment sequences after the first A: exposures to five classes of medicine in five years, joined into eras (gaps up to 30
-- days), cut into stretches of the same combination; the first three different combinations of each person.
WITH entry AS (
  SELECT c.person_id, min(c.condition_start_date) AS day FROM condition_occurrence c
  WHERE c.condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000415)
  GROUP BY c.person_id
), class_of AS (
  SELECT ancestor_concept_id - 2001100008 AS class, descendant_concept_id AS concept FROM concept_ancestor
  WHERE ancestor_concept_id BETWEEN 2001100008 AND 2001100012
), exposure AS (
  SELECT e.person_id, k.class, d.drug_exposure_start_date AS start_day,
         greatest(d.drug_exposure_start_date, coalesce(d.drug_exposure_end_date, d.drug_exposure_start_date)) AS end_day
  FROM entry e JOIN drug_exposure d ON d.person_id = e.person_id JOIN class_of k ON k.concept = d.drug_concept_id
  WHERE d.drug_exposure_start_date BETWEEN e.day AND e.day + 1825
), marked AS (
  SELECT *, CASE WHEN start_day - max(end_day) OVER before <= 30 THEN 0 ELSE 1 END AS is_new FROM exposure
  WINDOW before AS (PARTITION BY person_id, class ORDER BY start_day, end_day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), numbered AS (
  SELECT *, sum(is_new) OVER (PARTITION BY person_id, class ORDER BY start_day, end_day, is_new DESC ROWS UNBOUNDED PRECEDING) AS era FROM marked
), eras AS (
  SELECT person_id, class, min(start_day) AS start_day, max(end_day) AS end_day FROM numbered GROUP BY person_id, class, era
), cuts AS (
  SELECT person_id, start_day AS day FROM eras UNION SELECT person_id, end_day + 1 FROM eras
), stretches AS (
  SELECT person_id, day AS start_day, lead(day) OVER (PARTITION BY person_id ORDER BY day) - 1 AS end_day FROM cuts
), combinations AS (
  SELECT s.person_id, s.start_day, string_agg(chr(97 + e.class::INTEGER), ' + ' ORDER BY e.class) AS classes
  FROM stretches s JOIN eras e ON e.person_id = s.person_id AND e.start_day <= s.start_day AND s.end_day <= e.end_day
  GROUP BY s.person_id, s.start_day
), firsts AS (
  SELECT person_id, classes, row_number() OVER (PARTITION BY person_id ORDER BY min(start_day)) AS place
  FROM combinations GROUP BY person_id, classes
), paths AS (
  SELECT person_id, string_agg(classes, ' > ' ORDER BY place) AS path FROM firsts WHERE place <= 3 GROUP BY person_id
)
SELECT coalesce(path, 'none of them') AS path, count(*) AS persons FROM entry LEFT JOIN paths USING (person_id) GROUP BY 1
