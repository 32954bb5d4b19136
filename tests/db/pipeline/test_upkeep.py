"""What is forgotten by itself."""

from datetime import UTC, datetime, timedelta

from django.contrib.sessions.models import Session

from plainview.pipeline.jobs import forget_sessions

HOUR = timedelta(hours=1)


def test_sessions_that_are_over_are_forgotten_and_the_others_kept(undone):
    now = datetime.now(UTC)
    for key, ends_at in (("over", now - HOUR), ("running", now + HOUR)):
        Session.objects.create(session_key=key, session_data="x", expire_date=ends_at)
    forget_sessions(None, timestamp=0)
    assert list(Session.objects.values_list("session_key", flat=True)) == ["running"]
