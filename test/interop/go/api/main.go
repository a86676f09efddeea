// Every operation of the X-Ray API by the AWS SDK for Go, version 2. It decodes into fixed types, so an
// integer with a point or a time that is a text ends the program. RAYBRIDGE_API is the URL of the API,
// AT the time in epoch seconds around which there are traces, TRACE_ID the id of one of them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
)

var ctx = context.Background()

func main() {
	client := xray.New(xray.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(os.Getenv("RAYBRIDGE_API")),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
	})
	at, err := strconv.ParseInt(os.Getenv("AT"), 10, 64)
	check(err)
	from, to := aws.Time(time.Unix(at-60, 0)), aws.Time(time.Unix(at+60, 0))
	ids := []string{os.Getenv("TRACE_ID")}

	traces(client, from, to, ids)
	sampling(client)
	groups(client)
	account(client)
	retrieval(client, from, to, ids)
	insights(client)
}

func traces(client *xray.Client, from, to *time.Time, ids []string) {
	put := must(client.PutTraceSegments(ctx, &xray.PutTraceSegmentsInput{TraceSegmentDocuments: []string{"{}"}}))
	expect(len(put.UnprocessedTraceSegments) == 1, "an empty document is refused")
	must(client.PutTelemetryRecords(ctx, &xray.PutTelemetryRecordsInput{
		TelemetryRecords: []types.TelemetryRecord{{Timestamp: from, SegmentsSentCount: aws.Int32(1)}},
	}))

	summaries := 0
	for pages := xray.NewGetTraceSummariesPaginator(client, &xray.GetTraceSummariesInput{
		StartTime: from, EndTime: to, FilterExpression: aws.String(`service("go-front")`),
	}); pages.HasMorePages(); {
		for _, summary := range must(pages.NextPage(ctx)).TraceSummaries {
			expect(aws.ToString(summary.Id) == ids[0], "the summary is of the trace")
			expect(aws.ToBool(summary.HasFault), "the trace failed")
			summaries++
		}
	}
	expect(summaries == 1, "there is one summary")

	segments := 0
	for pages := xray.NewBatchGetTracesPaginator(client, &xray.BatchGetTracesInput{TraceIds: ids}); pages.HasMorePages(); {
		for _, trace := range must(pages.NextPage(ctx)).Traces {
			segments += len(trace.Segments)
		}
	}
	expect(segments >= 5, "the trace has its segments, inferred ones too")

	nodes := 0
	for pages := xray.NewGetServiceGraphPaginator(client, &xray.GetServiceGraphInput{StartTime: from, EndTime: to}); pages.HasMorePages(); {
		nodes += len(must(pages.NextPage(ctx)).Services)
	}
	for pages := xray.NewGetTraceGraphPaginator(client, &xray.GetTraceGraphInput{TraceIds: ids}); pages.HasMorePages(); {
		nodes += len(must(pages.NextPage(ctx)).Services)
	}
	expect(nodes >= 12, "both graphs have nodes")

	periods := 0
	for pages := xray.NewGetTimeSeriesServiceStatisticsPaginator(client, &xray.GetTimeSeriesServiceStatisticsInput{
		StartTime: from, EndTime: to, Period: aws.Int32(60), EntitySelectorExpression: aws.String(`service("go-front")`),
	}); pages.HasMorePages(); {
		periods += len(must(pages.NextPage(ctx)).TimeSeriesServiceStatistics)
	}
	expect(periods >= 1, "there are statistics")

	_, err := client.BatchGetTraces(ctx, &xray.BatchGetTracesInput{TraceIds: []string{"1", "2", "3", "4", "5", "6"}})
	var invalid *types.InvalidRequestException
	expect(errors.As(err, &invalid), "six ids are an InvalidRequestException")
}

func sampling(client *xray.Client) {
	name, any := aws.String("go rule"), aws.String("*")
	made := must(client.CreateSamplingRule(ctx, &xray.CreateSamplingRuleInput{SamplingRule: &types.SamplingRule{
		RuleName: name, ResourceARN: any, ServiceName: any, ServiceType: any, Host: any, HTTPMethod: any, URLPath: any,
		Priority: aws.Int32(30), FixedRate: 0.5, ReservoirSize: 1, Version: aws.Int32(1),
	}}))
	expect(made.SamplingRuleRecord.SamplingRule.ReservoirSize == 1, "the rule is as it was made")
	must(client.UpdateSamplingRule(ctx, &xray.UpdateSamplingRuleInput{
		SamplingRuleUpdate: &types.SamplingRuleUpdate{RuleName: name, FixedRate: aws.Float64(0.25)},
	}))
	targets := must(client.GetSamplingTargets(ctx, &xray.GetSamplingTargetsInput{
		SamplingStatisticsDocuments: []types.SamplingStatisticsDocument{{
			RuleName: name, ClientID: aws.String("0123456789abcdef01234567"), Timestamp: aws.Time(time.Now()),
			RequestCount: 3, SampledCount: 2, BorrowCount: 1,
		}},
	}))
	expect(targets.SamplingTargetDocuments[0].FixedRate == 0.25, "the target is of the rule")
	rules := 0
	for pages := xray.NewGetSamplingRulesPaginator(client, &xray.GetSamplingRulesInput{}); pages.HasMorePages(); {
		rules += len(must(pages.NextPage(ctx)).SamplingRuleRecords)
	}
	expect(rules >= 2, "there is the rule and Default")
	counts := 0
	for pages := xray.NewGetSamplingStatisticSummariesPaginator(client, &xray.GetSamplingStatisticSummariesInput{}); pages.HasMorePages(); {
		counts += len(must(pages.NextPage(ctx)).SamplingStatisticSummaries)
	}
	expect(counts >= 1, "the report was counted")
	must(client.DeleteSamplingRule(ctx, &xray.DeleteSamplingRuleInput{RuleName: name}))
}

func groups(client *xray.Client) {
	name := aws.String("go-group")
	made := must(client.CreateGroup(ctx, &xray.CreateGroupInput{GroupName: name, FilterExpression: aws.String("fault")}))
	arn := made.Group.GroupARN
	must(client.UpdateGroup(ctx, &xray.UpdateGroupInput{GroupName: name, FilterExpression: aws.String("error")}))
	read := must(client.GetGroup(ctx, &xray.GetGroupInput{GroupARN: arn}))
	expect(aws.ToString(read.Group.FilterExpression) == "error", "the group has changed")
	count := 0
	for pages := xray.NewGetGroupsPaginator(client, &xray.GetGroupsInput{}); pages.HasMorePages(); {
		count += len(must(pages.NextPage(ctx)).Groups)
	}
	expect(count >= 2, "there is the group and Default")

	must(client.TagResource(ctx, &xray.TagResourceInput{
		ResourceARN: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("")}, {Key: aws.String("b"), Value: aws.String("1")}},
	}))
	must(client.UntagResource(ctx, &xray.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"b"}}))
	tags := 0
	for pages := xray.NewListTagsForResourcePaginator(client, &xray.ListTagsForResourceInput{ResourceARN: arn}); pages.HasMorePages(); {
		tags += len(must(pages.NextPage(ctx)).Tags)
	}
	expect(tags == 1, "one tag is left")
	must(client.DeleteGroup(ctx, &xray.DeleteGroupInput{GroupName: name}))
	_, err := client.ListTagsForResource(ctx, &xray.ListTagsForResourceInput{ResourceARN: arn})
	var notFound *types.ResourceNotFoundException
	expect(errors.As(err, &notFound) && aws.ToString(notFound.ResourceName) == aws.ToString(arn), "tags go with the group")
}

func account(client *xray.Client) {
	must(client.PutEncryptionConfig(ctx, &xray.PutEncryptionConfigInput{Type: types.EncryptionTypeNone}))
	encryption := must(client.GetEncryptionConfig(ctx, &xray.GetEncryptionConfigInput{}))
	expect(encryption.EncryptionConfig.Type == types.EncryptionTypeNone, "there is no encryption")
	must(client.UpdateTraceSegmentDestination(ctx, &xray.UpdateTraceSegmentDestinationInput{Destination: types.TraceSegmentDestinationXRay}))
	destination := must(client.GetTraceSegmentDestination(ctx, &xray.GetTraceSegmentDestinationInput{}))
	expect(destination.Destination == types.TraceSegmentDestinationXRay, "traces go to X-Ray")
	must(client.UpdateIndexingRule(ctx, &xray.UpdateIndexingRuleInput{
		Name: aws.String("Default"),
		Rule: &types.IndexingRuleValueUpdateMemberProbabilistic{
			Value: types.ProbabilisticRuleValueUpdate{DesiredSamplingPercentage: aws.Float64(5)},
		},
	}))
	rules := must(client.GetIndexingRules(ctx, &xray.GetIndexingRulesInput{}))
	rule, isProbabilistic := rules.IndexingRules[0].Rule.(*types.IndexingRuleValueMemberProbabilistic)
	expect(isProbabilistic && aws.ToFloat64(rule.Value.DesiredSamplingPercentage) == 5, "five percent are indexed")

	name := aws.String("go-policy")
	document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"xray:PutTraceSegments","Resource":"*"}]}`
	must(client.PutResourcePolicy(ctx, &xray.PutResourcePolicyInput{PolicyName: name, PolicyDocument: &document}))
	policies := 0
	for pages := xray.NewListResourcePoliciesPaginator(client, &xray.ListResourcePoliciesInput{}); pages.HasMorePages(); {
		policies += len(must(pages.NextPage(ctx)).ResourcePolicies)
	}
	expect(policies >= 1, "there is the policy")
	must(client.DeleteResourcePolicy(ctx, &xray.DeleteResourcePolicyInput{PolicyName: name}))
}

func retrieval(client *xray.Client, from, to *time.Time, ids []string) {
	token := must(client.StartTraceRetrieval(ctx, &xray.StartTraceRetrievalInput{StartTime: from, EndTime: to, TraceIds: ids})).RetrievalToken
	for _, format := range types.TraceFormatType("").Values() {
		for {
			list := must(client.ListRetrievedTraces(ctx, &xray.ListRetrievedTracesInput{RetrievalToken: token, TraceFormat: format}))
			if list.RetrievalStatus == types.RetrievalStatusComplete {
				expect(len(list.Traces) == 1 && len(list.Traces[0].Spans) >= 2, "the trace is retrieved")
				break
			}
		}
	}
	graph := must(client.GetRetrievedTracesGraph(ctx, &xray.GetRetrievedTracesGraphInput{RetrievalToken: token}))
	expect(len(graph.Services) >= 5, "its graph has nodes")
	must(client.CancelTraceRetrieval(ctx, &xray.CancelTraceRetrievalInput{RetrievalToken: token}))
}

func insights(client *xray.Client) {
	now := time.Now()
	from, to := aws.Time(now.Add(-2*time.Hour)), aws.Time(now)
	group := aws.String("Default")
	summaries := must(client.GetInsightSummaries(ctx, &xray.GetInsightSummariesInput{StartTime: from, EndTime: to, GroupName: group}))
	for _, summary := range summaries.InsightSummaries {
		must(client.GetInsight(ctx, &xray.GetInsightInput{InsightId: summary.InsightId}))
		events := must(client.GetInsightEvents(ctx, &xray.GetInsightEventsInput{InsightId: summary.InsightId}))
		expect(len(events.InsightEvents) >= 1, "an insight has events")
		must(client.GetInsightImpactGraph(ctx, &xray.GetInsightImpactGraphInput{InsightId: summary.InsightId, StartTime: from, EndTime: to}))
	}
	expect(len(summaries.InsightSummaries) >= 1, "there is an insight")
}

func must[Answer any](answer Answer, err error) Answer {
	check(err)
	return answer
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func expect(holds bool, what string) {
	if !holds {
		panic(fmt.Sprintf("expected that %s", what))
	}
}
