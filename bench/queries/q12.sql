-- Persons and records of every concept of the event tables.
SELECT concept, count(DISTINCT person_id) AS persons, count(*) AS records
FROM (
  SELECT condition_concept_id AS concept, person_id FROM condition_occurrence
  UNION ALL SELECT drug_concept_id, person_id FROM drug_exposure
  UNION ALL SELECT measurement_concept_id, person_id FROM measurement
  UNION ALL SELECT visit_concept_id, person_id FROM visit_occurrence
  UNION ALL SELECT observation_concept_id, person_id FROM observation
) AS events
GROUP BY concept
