from prefect import flow, task

@task
def send_welcome_email(user_id: str, email: str):
    """Send welcome email - runs in background."""
    print(f"Sending welcome email to {email}")
    # Email sending logic...

@task
def process_signup_analytics(user_id: str, metadata: dict):
    """Process analytics - runs in background."""
    print(f"Processing analytics for user {user_id}")
    # Analytics processing...

# In a web application endpoint:
def handle_user_signup(user_data: dict):
    """Handle user signup - returns immediately."""
    user_id = user_data["id"]

    # These tasks run in background, don't block the response
    send_welcome_email.delay(user_id, user_data["email"])
    process_signup_analytics.delay(user_id, user_data.get("metadata", {}))

    # Return immediately to the user
    return {"status": "success", "user_id": user_id}

# Start a task worker to process delayed tasks
# CLI: prefect task-worker start
