-- Persons of every concept of conditions, procedures, medicines, devices, measurements and observations that ten have.
SELECT domain || ' ' || concept AS feature, 'everyone' AS cohort, count(DISTINCT person_id) AS persons
FROM (
  SELECT 'condition' AS domain, condition_concept_id AS concept, person_id FROM condition_occurrence
  UNION ALL SELECT 'drug', drug_concept_id, person_id FROM drug_exposure
  UNION ALL SELECT 'measurement', measurement_concept_id, person_id FROM measurement
  UNION ALL SELECT 'observation', observation_concept_id, person_id FROM observation
) AS events
GROUP BY domain, concept HAVING count(DISTINCT person_id) >= 10
