import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type AnswerRecorder, openAnswerRecorder } from '../support/answer-recorder.ts';
import { problemsOf, readAwsModel } from '../support/aws-model.ts';
import { lacking, prepareGo, preparePython } from '../support/programs.ts';
import { startRaybridge } from '../support/raybridge.ts';
import { describeCommandLine } from './clients/command-line.ts';
import { describeDocuments } from './clients/documents.ts';
import { describeGo } from './clients/go.ts';
import { describeInsights, putTrouble } from './clients/insights.ts';
import { describeJavaScript } from './clients/javascript.ts';
import { operationPaths } from './clients/operations.ts';
import type { Product } from './clients/product.ts';
import { describePython } from './clients/python.ts';
import { describeWrongInput } from './clients/wrong-input.ts';

/** These begin at once, because they take longest. */
const python = preparePython();
const goPrograms = prepareGo();

/** Clients that are not ours, unmodified but for the endpoint, all at one Raybridge with its real engine. */
describe('unmodified clients', () => {
  let product: Product;
  let recorder: AnswerRecorder;
  const given = (): Product => product;

  before(async () => {
    const raybridge = await startRaybridge(await mkdtemp(join(tmpdir(), 'raybridge-clients-')));
    recorder = await openAnswerRecorder(raybridge.addresses.api);
    product = { raybridge, api: recorder.address, now: Math.floor(Date.now() / 1000) };
    await putTrouble(product);
  });
  after(async () => {
    await recorder.close();
    await product.raybridge.kill('SIGTERM');
    await rm(product.raybridge.dataDir, { recursive: true, force: true });
  });

  describeJavaScript(given);
  describeDocuments(given);
  describeWrongInput(given, python);
  describeCommandLine(given);
  describePython(given, python);
  describeInsights(given, python);
  describeGo(given, goPrograms);

  for (const { name, userAgent, prepared } of [
    { name: '@aws-sdk/client-xray', userAgent: /^aws-sdk-js\//, prepared: undefined },
    { name: 'boto3', userAgent: /^Boto3\//, prepared: python },
    { name: 'the AWS SDK for Go', userAgent: /^aws-sdk-go-v2\//, prepared: goPrograms },
  ]) {
    it(`were answered every operation: ${name}`, async (test) => {
      const lacks = await prepared;
      if (typeof lacks === 'string') return test.skip(lacks);
      const answered = recorder.answers.filter((answer) => answer.status === 200 && userAgent.test(answer.userAgent));
      const paths = new Set(answered.map(({ path }) => path));
      assert.equal(operationPaths.size, 38);
      assert.deepEqual(
        [...operationPaths].filter(([, path]) => !paths.has(path)),
        [],
      );
    });
  }

  it("were all given answers that follow AWS's own model of the API", async (test) => {
    const prepared = await python;
    if (typeof prepared === 'string') return lacking(test, prepared);
    const model = readAwsModel(prepared.packages);
    const problems = new Set(recorder.answers.flatMap((answer) => problemsOf(model, answer)));
    // The model knows the rules that people may make. AWS's own rule comes after all of them.
    const unexpected = [...problems].filter((problem) => !/SamplingRule\.Priority: 10000 is not/.test(problem));
    assert.deepEqual(unexpected, []);
  });
});
