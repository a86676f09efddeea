"""A program as its author wrote it for the X-Ray SDK for Python: it is told where to send by
AWS_XRAY_DAEMON_ADDRESS alone, asks there what to sample, and prints the trace ids of its segments.
"""

import time

from aws_xray_sdk.core import xray_recorder

xray_recorder.configure(service="py-legacy", sampling=True)

for request in range(12):
    segment = xray_recorder.begin_segment("py-legacy")
    segment.put_annotation("tenant", "acme")
    segment.put_metadata("cart", {"items": [1, 2.5, "three"]})
    try:
        with xray_recorder.in_subsegment("price"):
            raise ValueError("no price")
    except ValueError:
        pass
    if segment.sampled:
        print(segment.trace_id)
    xray_recorder.end_segment()
    # The SDK fetches rules when it first decides, and meanwhile decides by its own.
    time.sleep(0.25)
