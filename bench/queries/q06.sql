-- Persons by their first A with at least two of: B on or before it; a medicine within 365 days from it; a measurement over
-- 50 in the 365 days up to it; two accident and emergency visits in the 365 days up to it.
WITH a AS (
  SELECT person_id, min(condition_start_date) AS index_date FROM condition_occurrence
  WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000012)
  GROUP BY person_id
), b AS (
  SELECT DISTINCT a.person_id FROM a JOIN condition_occurrence c ON c.person_id = a.person_id
  WHERE c.condition_start_date <= a.index_date
    AND c.condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000029)
), d AS (
  SELECT DISTINCT a.person_id FROM a JOIN drug_exposure x ON x.person_id = a.person_id
  WHERE x.drug_exposure_start_date BETWEEN a.index_date AND a.index_date + 365
    AND x.drug_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001100023)
), m AS (
  SELECT DISTINCT a.person_id FROM a JOIN measurement x ON x.person_id = a.person_id
  WHERE x.measurement_date BETWEEN a.index_date - 365 AND a.index_date AND x.value_as_number > 50
    AND x.measurement_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001200036)
), v AS (
  SELECT a.person_id FROM a JOIN visit_occurrence x ON x.person_id = a.person_id
  WHERE x.visit_start_date BETWEEN a.index_date - 365 AND a.index_date AND x.visit_concept_id = 9203
  GROUP BY a.person_id HAVING count(*) >= 2
)
SELECT count(*) FROM (
  SELECT person_id
  FROM (SELECT person_id FROM b UNION ALL SELECT person_id FROM d UNION ALL SELECT person_id FROM m
        UNION ALL SELECT person_id FROM v) AS met
  GROUP BY person_id HAVING count(*) >= 2) AS two
