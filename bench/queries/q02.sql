-- Persons by their first A, at least 365 days observed before it, B within 365 days from it, and no C before it.
WITH a AS (
  SELECT person_id, min(condition_start_date) AS index_date FROM condition_occurrence
  WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000149)
  GROUP BY person_id
), entry AS (
  SELECT a.person_id, a.index_date FROM a JOIN observation_period o ON o.person_id = a.person_id
  WHERE a.index_date >= o.observation_period_start_date + 365 AND a.index_date <= o.observation_period_end_date
)
SELECT count(*) FROM entry e
WHERE EXISTS (
  SELECT 1 FROM condition_occurrence b
  WHERE b.person_id = e.person_id AND b.condition_start_date BETWEEN e.index_date AND e.index_date + 365
    AND b.condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000126))
AND NOT EXISTS (
  SELECT 1 FROM condition_occurrence c
  WHERE c.person_id = e.person_id AND c.condition_start_date < e.index_date
    AND c.condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000063))
