"""Operations per entity: functions that take a transaction and models, and return models; their SQL stands beside them."""
