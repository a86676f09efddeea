"""Every operation of the X-Ray API through boto3, with its checks of parameters and its parser of answers.

RAYBRIDGE_API is the URL of the API, TRACES a JSON list of {"id", "documents"} that the class Traces
puts first; they began at AT, in epoch seconds, and hold a service called py-front that faults. The
class Insights wants insights that are there.
"""

import json
import os
import time
import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ParamValidationError

AT = int(os.environ.get("AT", "0"))
TRACES = json.loads(os.environ.get("TRACES", "[]"))
IDS = [trace["id"] for trace in TRACES]
AROUND = {"StartTime": AT - 60, "EndTime": AT + 60}
WAIT_SECONDS = 30

xray = boto3.client(
    "xray",
    endpoint_url=os.environ["RAYBRIDGE_API"],
    config=Config(parameter_validation=True, retries={"max_attempts": 1}),
)


def eventually(what, ask):
    """Asks until there is an answer."""
    ends_at = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < ends_at:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


def pages(operation, key, **arguments):
    """All entries of all pages, by the paginator of botocore."""
    paginator = xray.get_paginator(operation)
    return [entry for page in paginator.paginate(**arguments) for entry in page[key]]


class Traces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        texts = [json.dumps(document) for trace in TRACES for document in trace["documents"]]
        answer = xray.put_trace_segments(TraceSegmentDocuments=texts)
        assert answer["UnprocessedTraceSegments"] == [], answer
        eventually("the traces", lambda: len(xray.get_trace_summaries(**AROUND, FilterExpression='service("py-front")')["TraceSummaries"]))

    def test_telemetry(self):
        record = {"Timestamp": AT, "SegmentsReceivedCount": 1, "BackendConnectionErrors": {"OtherCount": 1}}
        xray.put_telemetry_records(TelemetryRecords=[record], EC2InstanceId="i-0abc", Hostname="h", ResourceARN="arn:x")

    def test_documents(self):
        found = pages("batch_get_traces", "Traces", TraceIds=IDS)
        self.assertEqual({trace["Id"] for trace in found}, set(IDS))
        documents = {s["Id"]: json.loads(s["Document"]) for trace in found for s in trace["Segments"]}
        for trace in TRACES:
            for document in trace["documents"]:
                self.assertEqual(documents[document["id"]], document)

    def test_summaries(self):
        [summary] = pages("get_trace_summaries", "TraceSummaries", **AROUND, FilterExpression='service("py-front")')
        self.assertEqual(summary["Id"], IDS[0])
        self.assertTrue(summary["HasFault"])
        self.assertEqual(summary["Annotations"]["items"][0]["AnnotationValue"], {"NumberValue": 3.0})
        self.assertEqual(summary["StartTime"].timestamp(), AT)
        for kind in ["TraceId", "Event", "Service"]:
            end = {"StartTime": AT - 60, "EndTime": int(time.time()) + 60}
            answer = xray.get_trace_summaries(**end, TimeRangeType=kind, Sampling=True, SamplingStrategy={"Name": "FixedRate", "Value": 1.0})
            self.assertTrue(answer["TraceSummaries"], kind)

    def test_graphs(self):
        for services in [
            pages("get_service_graph", "Services", **AROUND),
            pages("get_service_graph", "Services", **AROUND, GroupName="Default"),
            pages("get_trace_graph", "Services", TraceIds=IDS),
        ]:
            [front] = [s for s in services if s["Name"] == "py-front" and s.get("Type") != "client"]
            self.assertEqual(front["SummaryStatistics"]["FaultStatistics"]["TotalCount"], 1)
            self.assertEqual(len(front["Edges"]), 4)

    def test_time_series(self):
        for selector in [{}, {"EntitySelectorExpression": 'service(id(name: "py-front"))', "ForecastStatistics": True}]:
            found = pages("get_time_series_service_statistics", "TimeSeriesServiceStatistics", **AROUND, Period=60, **selector)
            self.assertTrue(found)

    def test_retrieval(self):
        token = xray.start_trace_retrieval(TraceIds=IDS, **AROUND)["RetrievalToken"]
        for form in ["XRAY", "OTEL"]:
            arguments = {"RetrievalToken": token, "TraceFormat": form}
            answer = eventually("retrieval", lambda: (a := xray.list_retrieved_traces(**arguments))["RetrievalStatus"] == "COMPLETE" and a)
            self.assertEqual(answer["TraceFormat"], form)
            self.assertEqual({trace["Id"] for trace in answer["Traces"]}, set(IDS))
        self.assertTrue(xray.get_retrieved_traces_graph(RetrievalToken=token)["Services"])
        xray.cancel_trace_retrieval(RetrievalToken=token)
        with self.assertRaises(xray.exceptions.ResourceNotFoundException):
            xray.list_retrieved_traces(RetrievalToken="unknown")


def every_page(call, key, **arguments):
    """For operations that have tokens and no paginator."""
    entries = []
    while True:
        answer = call(**arguments)
        entries += answer[key]
        if not answer.get("NextToken"):
            return entries
        assert answer["NextToken"] != arguments.get("NextToken"), "a token came twice"
        arguments["NextToken"] = answer["NextToken"]


class Insights(unittest.TestCase):
    def test_insights(self):
        now = int(time.time())
        around = {"StartTime": now - 7200, "EndTime": now + 60, "GroupName": "Default"}
        summaries = xray.get_insight_summaries(**around)["InsightSummaries"]
        self.assertTrue(summaries)
        for size in [1, 2, 100]:
            self.assertEqual(every_page(xray.get_insight_summaries, "InsightSummaries", **around, MaxResults=size), summaries)
        states = [every_page(xray.get_insight_summaries, "InsightSummaries", **around, States=[state]) for state in ["ACTIVE", "CLOSED"]]
        self.assertEqual(len(states[0]) + len(states[1]), len(summaries))
        for summary in summaries:
            of = {"InsightId": summary["InsightId"]}
            insight = xray.get_insight(**of)["Insight"]
            self.assertEqual(insight["RootCauseServiceId"], summary["RootCauseServiceId"])
            events = xray.get_insight_events(**of)["InsightEvents"]
            self.assertTrue(events)
            for size in [1, 50]:
                self.assertEqual(every_page(xray.get_insight_events, "InsightEvents", **of, MaxResults=size), events)
            graph = xray.get_insight_impact_graph(**of, StartTime=now - 7200, EndTime=now)
            self.assertTrue(graph["Services"])


class Settings(unittest.TestCase):
    def test_sampling(self):
        rule = {
            "RuleName": "py rule", "ResourceARN": "*", "Priority": 11, "FixedRate": 0.5, "ReservoirSize": 1,
            "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1,
            "Attributes": {"k": "v"}, "SamplingRateBoost": {"MaxRate": 0.9, "CooldownWindowMinutes": 1},
        }
        made = xray.create_sampling_rule(SamplingRule=rule, Tags=[{"Key": "k", "Value": "v"}])["SamplingRuleRecord"]
        self.assertEqual({**made["SamplingRule"], **rule}, made["SamplingRule"])
        arn = made["SamplingRule"]["RuleARN"]
        try:
            self.assertIn(xray.list_tags_for_resource(ResourceARN=arn)["Tags"], [[], [{"Key": "k", "Value": "v"}]])
            xray.tag_resource(ResourceARN=arn, Tags=[{"Key": "k2", "Value": ""}])
            self.assertIn({"Key": "k2", "Value": ""}, pages("list_tags_for_resource", "Tags", ResourceARN=arn))
            xray.untag_resource(ResourceARN=arn, TagKeys=["k", "k2"])
            changed = xray.update_sampling_rule(SamplingRuleUpdate={"RuleARN": arn, "Priority": 12})
            self.assertEqual(changed["SamplingRuleRecord"]["SamplingRule"]["Priority"], 12)
            report = {"RuleName": "py rule", "ClientID": "a" * 24, "Timestamp": time.time(), "RequestCount": 5, "SampledCount": 5, "BorrowCount": 0}
            boost = {"RuleName": "py rule", "ServiceName": "py", "Timestamp": time.time(), "AnomalyCount": 3, "TotalCount": 5, "SampledAnomalyCount": 0}
            answer = xray.get_sampling_targets(SamplingStatisticsDocuments=[report], SamplingBoostStatisticsDocuments=[boost])
            self.assertEqual([t["RuleName"] for t in answer["SamplingTargetDocuments"]], ["py rule"])
            self.assertIn("py rule", [s["RuleName"] for s in pages("get_sampling_statistic_summaries", "SamplingStatisticSummaries")])
            records = pages("get_sampling_rules", "SamplingRuleRecords")
            self.assertEqual(records[-1]["SamplingRule"]["RuleName"], "Default")
        finally:
            xray.delete_sampling_rule(RuleARN=arn)

    def test_groups(self):
        names = [f"py-{number}" for number in range(22)]
        for name in names:
            xray.create_group(GroupName=name, FilterExpression="fault", InsightsConfiguration={"InsightsEnabled": False})
        try:
            self.assertTrue(set(names) <= {group["GroupName"] for group in pages("get_groups", "Groups")})
            group = xray.update_group(GroupName="py-0", FilterExpression="error")["Group"]
            self.assertEqual(xray.get_group(GroupARN=group["GroupARN"])["Group"], group)
        finally:
            for name in names:
                xray.delete_group(GroupName=name)
        with self.assertRaises(xray.exceptions.InvalidRequestException) as raised:
            xray.get_group(GroupName="py-0")
        self.assertEqual(raised.exception.response["ResponseMetadata"]["HTTPStatusCode"], 400)

    def test_policies(self):
        statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "xray:PutTraceSegments", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        policy = xray.put_resource_policy(PolicyName="py", PolicyDocument=document)["ResourcePolicy"]
        self.assertIn(policy, pages("list_resource_policies", "ResourcePolicies"))
        with self.assertRaises(xray.exceptions.InvalidPolicyRevisionIdException):
            xray.delete_resource_policy(PolicyName="py", PolicyRevisionId="99")
        xray.delete_resource_policy(PolicyName="py", PolicyRevisionId=policy["PolicyRevisionId"])

    def test_account(self):
        self.assertEqual(xray.put_encryption_config(Type="KMS", KeyId="alias/py")["EncryptionConfig"]["KeyId"], "alias/py")
        xray.put_encryption_config(Type="NONE")
        self.assertEqual(xray.get_encryption_config()["EncryptionConfig"]["Type"], "NONE")
        xray.update_trace_segment_destination(Destination="XRay")
        self.assertEqual(xray.get_trace_segment_destination()["Destination"], "XRay")
        xray.update_indexing_rule(Name="Default", Rule={"Probabilistic": {"DesiredSamplingPercentage": 3.0}})
        [rule] = xray.get_indexing_rules()["IndexingRules"]
        self.assertEqual(rule["Rule"]["Probabilistic"]["DesiredSamplingPercentage"], 3.0)


class Parameters(unittest.TestCase):
    def test_validation_is_on(self):
        with self.assertRaises(ParamValidationError):
            xray.batch_get_traces(TraceIds="one")


if __name__ == "__main__":
    unittest.main()
