-- Characterisation: persons with A by what was recorded for them in the 365 days up to their first A, each concept with its
-- descendants. Only concepts with a descendant that ten persons have anywhere.
WITH entry AS (
  SELECT person_id, min(condition_start_date) AS day FROM condition_occurrence
  WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000415)
  GROUP BY person_id
), events AS (
  SELECT DISTINCT e.person_id, 'condition' AS domain, x.condition_concept_id AS concept FROM entry e
  JOIN condition_occurrence x ON x.person_id = e.person_id AND x.condition_start_date BETWEEN e.day - 365 AND e.day
  UNION ALL SELECT DISTINCT e.person_id, 'drug', x.drug_concept_id FROM entry e
  JOIN drug_exposure x ON x.person_id = e.person_id AND x.drug_exposure_start_date BETWEEN e.day - 365 AND e.day
  UNION ALL SELECT DISTINCT e.person_id, 'measurement', x.measurement_concept_id FROM entry e
  JOIN measurement x ON x.person_id = e.person_id AND x.measurement_date BETWEEN e.day - 365 AND e.day
  UNION ALL SELECT DISTINCT e.person_id, 'observation', x.observation_concept_id FROM entry e
  JOIN observation x ON x.person_id = e.person_id AND x.observation_date BETWEEN e.day - 365 AND e.day
), rolled_up AS (
  SELECT v.domain, a.ancestor_concept_id AS concept, count(DISTINCT v.person_id) AS persons
  FROM events v JOIN concept_ancestor a ON a.descendant_concept_id = v.concept GROUP BY 1, 2
)
SELECT domain || ' ' || concept AS feature, 'condition' AS cohort, persons FROM rolled_up WHERE persons >= 10
