-- The fifty conditions that most persons with A have, at any time.
WITH a AS (
  SELECT DISTINCT person_id FROM condition_occurrence
  WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000415)
)
SELECT 'condition ' || condition_concept_id AS feature, 'condition' AS cohort, count(DISTINCT person_id) AS persons
FROM condition_occurrence WHERE person_id IN (SELECT person_id FROM a)
GROUP BY condition_concept_id ORDER BY count(DISTINCT person_id) DESC, condition_concept_id LIMIT 50
