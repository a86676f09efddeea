import { RaybridgeError } from '../errors.ts';
import { isJsonArray, isJsonNumber, isJsonObject, parseSeconds } from '../model/index.ts';
import type { JsonObject, JsonValue, SamplingReport, UnprocessedReport } from '../model/index.ts';
import type { SamplingService } from '../pipeline/sampling.ts';
import { toSamplingRuleAnswer, toSamplingTargetAnswer, toUnprocessedStatisticsAnswer } from '../query/index.ts';

/**
 * GetSamplingRules and GetSamplingTargets (X-Ray API reference 2016-04-12), answered alike on the
 * X-Ray API and on the daemon's TCP port. The answers are values for JSON.stringify. SDKs in the
 * field take liberties with the requests, so what can be understood is taken.
 */

/** Every rule on one page, the default rule always among them: an empty list counts as "not loaded" in several SDKs. */
export async function answerGetSamplingRules(sampling: SamplingService, _request: JsonObject): Promise<object> {
  const records = await sampling.rules();
  return { SamplingRuleRecords: records.map(toSamplingRuleAnswer) };
}

/**
 * The API allows 25 reports a call, but the OpenTelemetry sampler for JavaScript sends one for each
 * rule it knows; this bounds the work instead.
 */
const reportsMax = 1_000;

/**
 * Targets for the rules that a client reports on. A report that makes no sense is answered in
 * `UnprocessedStatistics`, the others still count.
 * @throws RaybridgeError INVALID_REQUEST (no list of reports, or too long a one).
 */
export async function answerGetSamplingTargets(sampling: SamplingService, request: JsonObject): Promise<object> {
  const documents = request.get('SamplingStatisticsDocuments');
  if (!isJsonArray(documents)) {
    throw new RaybridgeError('INVALID_REQUEST', 'SamplingStatisticsDocuments: expected a list, got none');
  }
  if (documents.length > reportsMax) {
    const found = `got ${documents.length}`;
    throw new RaybridgeError(
      'INVALID_REQUEST',
      `SamplingStatisticsDocuments: expected at most ${reportsMax}, ${found}`,
    );
  }

  const readings = documents.map(readReport);
  const { targets, unprocessed, rulesModifiedAtNs } = await sampling.targets(
    readings.flatMap((reading) => ('problem' in reading ? [] : [reading])),
  );
  const unreadable = readings.flatMap((reading) => ('problem' in reading ? [toUnprocessed(reading)] : []));
  return {
    SamplingTargetDocuments: targets.map(toSamplingTargetAnswer),
    // Always there and always a number: the X-Ray SDK for Node looks at its type.
    LastRuleModification: Number(rulesModifiedAtNs / 1_000_000_000n),
    UnprocessedStatistics: [...unreadable, ...unprocessed].map(toUnprocessedStatisticsAnswer),
    UnprocessedBoostStatistics: [],
  };
}

/** What is wrong with one report. */
interface Unreadable {
  readonly ruleName: string;
  readonly problem: string;
}

/** Longest rule name of the API, in characters; also bounds what an answer repeats. */
const ruleNameCharactersMax = 32;

function readReport(document: JsonValue): SamplingReport | Unreadable {
  if (!isJsonObject(document)) return { ruleName: '', problem: 'expected an object' };
  const ruleName = textOf(document.get('RuleName'));
  if (ruleName === undefined || ruleName === '' || ruleName.length > ruleNameCharactersMax) {
    return { ruleName: '', problem: `RuleName: expected 1 to ${ruleNameCharactersMax} characters` };
  }
  const clientId = textOf(document.get('ClientID'));
  if (clientId === undefined || !/^[0-9A-Za-z]{24}$/.test(clientId)) {
    return { ruleName, problem: 'ClientID: expected 24 hex digits' };
  }
  const timeNs = timeOf(document.get('Timestamp'));
  if (timeNs === undefined) return { ruleName, problem: 'Timestamp: expected epoch seconds' };
  const requestCount = countOf(document.get('RequestCount'));
  // The ADOT distribution for Python writes SampleCount.
  const sampledCount = countOf(document.get('SampledCount') ?? document.get('SampleCount'));
  const borrowCount = countOf(document.get('BorrowCount') ?? { literal: '0' });
  if (requestCount === undefined || sampledCount === undefined || borrowCount === undefined) {
    return { ruleName, problem: 'RequestCount, SampledCount, BorrowCount: expected whole numbers from 0' };
  }
  return { ruleName, clientId, timeNs, requestCount, sampledCount, borrowCount };
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Epoch seconds as a number or as text, or a date as ISO 8601 has it. */
function timeOf(value: JsonValue | undefined): bigint | undefined {
  if (isJsonNumber(value)) return parseSeconds(value.literal);
  if (typeof value !== 'string') return undefined;
  const milliseconds = Date.parse(value);
  return parseSeconds(value) ?? (Number.isNaN(milliseconds) ? undefined : BigInt(milliseconds) * 1_000_000n);
}

function countOf(value: JsonValue | undefined): number | undefined {
  const count = isJsonNumber(value) ? Number(value.literal) : Number.NaN;
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

function toUnprocessed({ ruleName, problem }: Unreadable): UnprocessedReport {
  return { ruleName, errorCode: 'InvalidStatistics', message: problem };
}
