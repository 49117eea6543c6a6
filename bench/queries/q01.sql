-- Persons with a condition (31 concepts: one and its descendants); about 8%.
SELECT count(DISTINCT person_id)
FROM condition_occurrence
WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000415)
