import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { eventually } from '../../support/eventually.ts';
import { findProgram, lacking, runProgram } from '../../support/programs.ts';
import type { Given } from './product.ts';
import { shopTrace, traceIdOf } from './shop.ts';

/** Debian's, where it is; versions 1 and 2 do. */
const program = findProgram(['/usr/bin/aws', 'aws']);
const tracesCount = 12;

/** The AWS CLI, which turns answers into its own pages and errors into exit codes. */
export function describeCommandLine(given: Given): void {
  describe('the AWS CLI', () => {
    let range: readonly string[];
    let at: number;

    before(async () => {
      if (!program) return;
      at = given().now - 600;
      range = ['--start-time', String(at - 10), '--end-time', String(at + 60)];
      const traces = Array.from({ length: tracesCount }, (_, number) =>
        shopTrace({ name: 'cli', at: at + number, number, fails: number % 2 === 0 }),
      );
      const texts = traces.flatMap(({ documents }) => documents.map((document) => JSON.stringify(document)));
      const { UnprocessedTraceSegments } = await aws(['put-trace-segments', '--trace-segment-documents', ...texts]);
      assert.deepEqual(UnprocessedTraceSegments, []);
      await eventually('the traces of the command line', async () => {
        const body = JSON.stringify({ StartTime: at - 10, EndTime: at + 60 });
        const response = await fetch(`http://${given().api}/TraceSummaries`, { method: 'POST', body });
        const { TraceSummaries } = JSON.parse(await response.text());
        return TraceSummaries.length === tracesCount || undefined;
      });
    });

    function withProgram(test: (context: TestContext) => Promise<void>): (context: TestContext) => Promise<void> {
      return async (context) => {
        if (program) await test(context);
        else lacking(context, 'the AWS CLI is not installed');
      };
    }

    // The answer of another program; the tests look into it.
    // oxlint-disable-next-line typescript/no-explicit-any
    async function aws(words: readonly string[]): Promise<any> {
      const all = ['xray', ...words, '--endpoint-url', `http://${given().api}`, '--output', 'json'];
      const text = await runProgram(program ?? '', all);
      return text === '' ? undefined : JSON.parse(text);
    }

    it(
      'reads traces and the service graph',
      withProgram(async () => {
        const wanted = shopTrace({ name: 'cli', at, number: 0 });
        const { Traces } = await aws(['batch-get-traces', '--trace-ids', wanted.id]);
        const documents = Traces[0].Segments.map(({ Document }: { Document: string }) => JSON.parse(Document));
        for (const document of wanted.documents)
          assert.ok(documents.some((one: unknown) => isDeepStrictEqual(one, document)));
        const { Services } = await aws(['get-service-graph', ...range]);
        const names = Services.map(({ Name, Type = '' }: { Name: string; Type?: string }) => `${Name} ${Type}`);
        for (const name of [
          'cli-front client',
          'cli-front AWS::ECS::Container',
          'cli-price ',
          'cli-carts AWS::DynamoDB::Table',
        ]) {
          assert.ok(names.includes(name), `${name} is not among ${names.join()}`);
        }
      }),
    );

    it(
      'pages through summaries as it likes to',
      withProgram(async () => {
        const question = ['get-trace-summaries', ...range, '--filter-expression', 'service("cli-front")'];
        const { TraceSummaries: all } = await aws(question);
        const ids = Array.from({ length: tracesCount }, (_, i) => traceIdOf('cli', at + i, i)).toReversed();
        const idsOf = (summaries: readonly { Id: string }[]): readonly string[] => summaries.map(({ Id }) => Id);
        assert.deepEqual(idsOf(all), ids);
        const first = await aws([...question, '--max-items', '5']);
        const second = await aws([...question, '--max-items', '100', '--starting-token', first.NextToken]);
        assert.deepEqual([...idsOf(first.TraceSummaries), ...idsOf(second.TraceSummaries)], ids);
        assert.equal(second.NextToken, undefined);
      }),
    );

    it(
      'makes, lists, tags and deletes groups and rules',
      withProgram(async () => {
        const { Group } = await aws(['create-group', '--group-name', 'cli', '--filter-expression', 'fault']);
        await aws(['tag-resource', '--resource-arn', Group.GroupARN, '--tags', 'Key=a,Value=1']);
        const { Tags } = await aws(['list-tags-for-resource', '--resource-arn', Group.GroupARN]);
        assert.deepEqual(Tags, [{ Key: 'a', Value: '1' }]);
        const { Groups } = await aws(['get-groups']);
        assert.ok(Groups.some(({ GroupName }: { GroupName: string }) => GroupName === 'cli'));
        await aws(['delete-group', '--group-name', 'cli']);
        const any = { ResourceARN: '*', ServiceName: '*', ServiceType: '*', Host: '*', HTTPMethod: '*', URLPath: '*' };
        const rule = { RuleName: 'cli', ...any, Priority: 20, FixedRate: 0.1, ReservoirSize: 0, Version: 1 };
        await aws(['create-sampling-rule', '--sampling-rule', JSON.stringify(rule)]);
        const { SamplingRuleRecord } = await aws(['delete-sampling-rule', '--rule-name', 'cli']);
        assert.equal(SamplingRuleRecord.SamplingRule.FixedRate, 0.1);
      }),
    );

    it(
      'says what was wrong, by the name of the error',
      withProgram(async () => {
        await assert.rejects(aws(['get-group', '--group-name', 'none']), /\(InvalidRequestException\).*none/);
        await assert.rejects(
          aws(['list-tags-for-resource', '--resource-arn', 'arn:none']),
          /\(ResourceNotFoundException\)/,
        );
      }),
    );
  });
}
