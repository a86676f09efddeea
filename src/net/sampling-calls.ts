import { RaybridgeError } from '../errors.ts';
import { isJsonArray, isJsonNumber, isJsonObject, parseSeconds } from '../model/index.ts';
import type {
  JsonObject,
  JsonValue,
  SamplingBoostReport,
  SamplingReport,
  SamplingRuleRecord,
  UnprocessedReport,
} from '../model/index.ts';
import type { SamplingService } from '../pipeline/sampling.ts';
import {
  toRuleModificationAnswer,
  toSamplingRuleAnswer,
  toSamplingTargetAnswer,
  toUnprocessedStatisticsAnswer,
} from '../query/index.ts';

/**
 * GetSamplingRules and GetSamplingTargets (X-Ray API reference 2016-04-12), answered alike on the
 * X-Ray API and on the daemon's TCP port. The answers are values for JSON.stringify. SDKs in the
 * field take liberties with the requests, so what can be understood is taken.
 */

/** Every rule on one page, the default rule always among them: an empty list counts as "not loaded" in several SDKs. */
export function answerGetSamplingRules(records: readonly SamplingRuleRecord[]): object {
  return { SamplingRuleRecords: records.map(toSamplingRuleAnswer) };
}

/**
 * Targets for the rules that a client reports on, with the boosts of the service whose anomalies it
 * reports. A report that makes no sense is answered in `UnprocessedStatistics` or
 * `UnprocessedBoostStatistics`; the others still count.
 * @throws RaybridgeError INVALID_REQUEST (no list of reports, or too long a one).
 */
export async function answerGetSamplingTargets(
  sampling: Pick<SamplingService, 'targets'>,
  request: JsonObject,
): Promise<object> {
  const readings = readList(request, 'SamplingStatisticsDocuments').map(readReport);
  // The ADOT distribution for Python sends null for none.
  const isBoosting = (request.get('SamplingBoostStatisticsDocuments') ?? undefined) !== undefined;
  const boostReadings = isBoosting ? readList(request, 'SamplingBoostStatisticsDocuments').map(readBoostReport) : [];

  const { targets, unprocessed, unprocessedBoosts, rulesModifiedAtNs } = await sampling.targets({
    reports: readings.filter(isReadable),
    boostReports: boostReadings.filter(isReadable),
  });
  return {
    // Always there: the sampler of OpenTelemetry JS takes nothing from an answer without it.
    SamplingTargetDocuments: targets.map(toSamplingTargetAnswer),
    // Always there and always a number: the X-Ray SDK for Node looks at its type.
    LastRuleModification: toRuleModificationAnswer(rulesModifiedAtNs),
    UnprocessedStatistics: [...unprocessedOf(readings), ...unprocessed].map(toUnprocessedStatisticsAnswer),
    UnprocessedBoostStatistics: [...unprocessedOf(boostReadings), ...unprocessedBoosts].map(
      toUnprocessedStatisticsAnswer,
    ),
  };
}

/**
 * The API allows 25 reports a call, but the OpenTelemetry sampler for JavaScript sends one for each
 * rule it knows; this bounds the work instead.
 */
const reportsMax = 1_000;

function readList(request: JsonObject, name: string): readonly JsonValue[] {
  const documents = request.get(name);
  if (!isJsonArray(documents)) {
    const found = documents === undefined || documents === null ? 'nothing' : 'another JSON value';
    throw new RaybridgeError('INVALID_REQUEST', `${name}: expected a list, got ${found}`);
  }
  if (documents.length <= reportsMax) return documents;
  throw new RaybridgeError('INVALID_REQUEST', `${name}: expected at most ${reportsMax}, got ${documents.length}`);
}

/** What is wrong with one report. */
interface Unreadable {
  readonly ruleName: string;
  readonly problem: string;
}

function isReadable<Report extends object>(reading: Report | Unreadable): reading is Report {
  return !('problem' in reading);
}

function unprocessedOf(readings: readonly (object | Unreadable)[]): readonly UnprocessedReport[] {
  return readings.flatMap((reading) =>
    'problem' in reading
      ? [{ ruleName: reading.ruleName, errorCode: 'InvalidStatistics', message: reading.problem }]
      : [],
  );
}

/** Longest rule name of the API, in characters; also bounds what an answer repeats. */
const ruleNameCharactersMax = 32;
const serviceNameCharactersMax = 64;

function readReport(document: JsonValue): SamplingReport | Unreadable {
  const about = readAbout(document);
  if ('problem' in about) return about;
  const { ruleName, timeNs, members } = about;
  const clientId = textOf(members.get('ClientID'));
  if (clientId === undefined || !/^[0-9A-Za-z]{24}$/.test(clientId)) {
    return { ruleName, problem: 'ClientID: expected 24 hex digits' };
  }
  const requestCount = countOf(members.get('RequestCount'));
  // The ADOT distribution for Python writes SampleCount.
  const sampledCount = countOf(members.get('SampledCount') ?? members.get('SampleCount'));
  const borrowCount = countOf(members.get('BorrowCount') ?? { literal: '0' });
  if (requestCount === undefined || sampledCount === undefined || borrowCount === undefined) {
    return { ruleName, problem: 'RequestCount, SampledCount, BorrowCount: expected whole numbers from 0' };
  }
  return { ruleName, clientId, timeNs, requestCount, sampledCount, borrowCount };
}

function readBoostReport(document: JsonValue): SamplingBoostReport | Unreadable {
  const about = readAbout(document);
  if ('problem' in about) return about;
  const { ruleName, timeNs, members } = about;
  const serviceName = textOf(members.get('ServiceName'));
  if (serviceName === undefined || [...serviceName].length > serviceNameCharactersMax) {
    return { ruleName, problem: `ServiceName: expected at most ${serviceNameCharactersMax} characters` };
  }
  const anomalyCount = countOf(members.get('AnomalyCount'));
  const totalCount = countOf(members.get('TotalCount'));
  const sampledAnomalyCount = countOf(members.get('SampledAnomalyCount'));
  if (anomalyCount === undefined || totalCount === undefined || sampledAnomalyCount === undefined) {
    return { ruleName, problem: 'AnomalyCount, TotalCount, SampledAnomalyCount: expected whole numbers from 0' };
  }
  return { ruleName, serviceName, timeNs, anomalyCount, totalCount, sampledAnomalyCount };
}

/** What both kinds of report begin with. */
interface About {
  readonly ruleName: string;
  readonly timeNs: bigint;
  readonly members: JsonObject;
}

function readAbout(document: JsonValue): About | Unreadable {
  if (!isJsonObject(document)) return { ruleName: '', problem: 'expected an object' };
  const ruleName = textOf(document.get('RuleName'));
  if (ruleName === undefined || ruleName === '' || [...ruleName].length > ruleNameCharactersMax) {
    return { ruleName: '', problem: `RuleName: expected 1 to ${ruleNameCharactersMax} characters` };
  }
  const timeNs = timeOf(document.get('Timestamp'));
  if (timeNs === undefined) return { ruleName, problem: 'Timestamp: expected epoch seconds' };
  return { ruleName, timeNs, members: document };
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
