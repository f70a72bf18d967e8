# Old (Pydantic v1)
class MyModel(BaseModel):
    class Config:
        extra = "forbid"

# New (Pydantic v2)
class MyModel(BaseModel):
    model_config = ConfigDict(extra="forbid")
