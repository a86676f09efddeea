/** Segments that do not hang where they should: below a parent that is not here, or below none. */
import type { SegmentNode } from '../../model/index.ts';
import { readFlag, readObject, readText } from '../members.ts';
import type { Facts, Finding, Handover } from './finding.ts';
import { groupBy, idsOf, namesOf } from './finding.ts';

/** One finding for each parent that is not here. */
export function missingParents({ reported, byId }: Facts): readonly Finding[] {
  const children = groupBy(
    reported.filter(({ parentId }) => parentId !== undefined && !byId.has(parentId)),
    ({ parentId }) => parentId ?? '',
  );
  return [...children].map(([parentId, orphans]): Finding => {
    const found = { evidence: `${namesOf(orphans)}: the parent ${parentId} is not in the trace.`, ids: idsOf(orphans) };
    if (orphans.some(({ origin }) => origin === 'AWS::Lambda::Function')) return { ...lambdaMissing, ...found };
    if (orphans.every(({ subsegment }) => subsegment)) return { ...segmentMissing(orphans), ...found };
    return callerMissing(orphans, found);
  });
}

type Found = Pick<Finding, 'evidence' | 'ids'>;
type Explanation = Omit<Finding, keyof Found>;

const lambdaMissing: Explanation = {
  code: 'LAMBDA_SEGMENT_MISSING',
  severity: 'problem',
  title: "The segment that AWS's Lambda service writes is not here",
  fix: 'Lambda sends it to AWS X-Ray itself, never to a daemon. Let the poller bring the traces of AWS (awsxray_poller), or read this trace as beginning in the function.',
};

function segmentMissing(orphans: readonly SegmentNode[]): Explanation {
  const what = orphans.length === 1 ? `the subsegment ${orphans[0]?.name}` : `${orphans.length} subsegments`;
  return {
    code: 'PARENT_MISSING',
    severity: 'problem',
    title: `The segment around ${what} never came`,
    fix: 'The process may have ended before it closed the segment, or the datagram was lost: look at what was rejected or dropped on the page Pipelines, and close segments before a process ends.',
  };
}

function callerMissing(orphans: readonly SegmentNode[], { evidence, ids }: Found): Finding {
  const front = frontOf(orphans);
  return {
    code: 'PARENT_MISSING',
    severity: 'problem',
    title: `The caller of ${namesOf(orphans)} never came`,
    evidence: front === undefined ? evidence : `${evidence} The request came through ${front.name}.`,
    fix: front?.writesSegments
      ? `${front.name} writes its segments to AWS X-Ray only. Let the poller bring the traces of AWS (awsxray_poller), or read this trace as beginning here.`
      : `${front ? `What passes requests on like ${front.name} writes no segments, so the parent is whoever called before it. ` : ''}The caller may send its spans elsewhere, may not have sampled the request, or may have lost them. Point it at this Raybridge, and let it decide by the parent (parentbased sampler) so that a trace is kept whole.`,
    ids,
  };
}

interface Front {
  readonly name: string;
  /** Of its own, which go to AWS X-Ray and nowhere else. */
  readonly writesSegments: boolean;
}

const apiGateway: Front = { name: 'API Gateway', writesSegments: true };
const appSync: Front = { name: 'AppSync', writesSegments: true };
const cloudFront: Front = { name: 'CloudFront', writesSegments: false };
/** Elastic Load Balancing adds to the header of X-Ray and writes nothing (developer guide, "Elastic Load Balancing"). */
const loadBalancer: Front = { name: 'a load balancer', writesSegments: false };
const proxy: Front = { name: 'a proxy or load balancer', writesSegments: false };

/** What stood in front of the first of them whose request tells. */
function frontOf(segments: readonly SegmentNode[]): Front | undefined {
  for (const { document } of segments) {
    const request = readObject(readObject(document, 'http'), 'request');
    const userAgent = readText(request, 'user_agent') ?? '';
    const url = readText(request, 'url') ?? '';
    if (readObject(readObject(document, 'aws'), 'api_gateway')) return apiGateway;
    if (/AmazonAPIGateway/i.test(userAgent)) return apiGateway;
    if (/\.execute-api\.[\w-]+\.amazonaws\.com/.test(url)) return apiGateway;
    if (/\.appsync-api\.[\w-]+\.amazonaws\.com/.test(url)) return appSync;
    if (/Amazon CloudFront/i.test(userAgent)) return cloudFront;
    if (/ELB-HealthChecker/i.test(userAgent) || /\.elb(?:\.[\w-]+)?\.amazonaws\.com/.test(url)) return loadBalancer;
    if (readFlag(request, 'x_forwarded_for')) return proxy;
  }
  return undefined;
}

/**
 * Roots that began while somebody waited for a call to just this service, of which no answer is
 * here: the id of the trace arrived, that of the calling span did not.
 */
export function findHandovers(facts: Omit<Facts, 'handovers'>): readonly Handover[] {
  const { trace, byId } = facts;
  const open = trace.segments.flatMap(({ inferred, parentId }) => {
    const call = inferred ? byId.get(parentId ?? '') : undefined;
    return call?.namespace === 'remote' ? [call] : [];
  });
  const taken = new Set<SegmentNode>();
  const later = rootsOf(facts).filter((root) => root !== trace.root);
  return later.slice(0, rootsMax).flatMap((root) => {
    const call = open.find((one) => !taken.has(one) && isCallTo(one, root));
    if (!call) return [];
    taken.add(call);
    return [{ call, root }];
  });
}

/** Each is held against every call. */
const rootsMax = 100;

function isCallTo(call: SegmentNode, root: SegmentNode): boolean {
  const isWithin =
    root.startTimeNs >= call.startTimeNs && (call.endTimeNs === undefined || root.startTimeNs <= call.endTimeNs);
  return isWithin && (call.name === root.name || (hostOf(call) !== undefined && hostOf(call) === hostOf(root)));
}

function hostOf({ document }: SegmentNode): string | undefined {
  const url = readText(readObject(readObject(document, 'http'), 'request'), 'url') ?? '';
  return /^[a-z]+:\/\/([^/?#]+)/i.exec(url)?.[1]?.toLowerCase();
}

/** Services that read one header and write another: X-Ray's X-Amzn-Trace-Id and W3C's traceparent. */
export function mixedPropagation(facts: Facts): readonly Finding[] {
  const found = facts.handovers;
  if (found.length > 0) {
    return [
      {
        code: 'PROPAGATION_MIXED',
        severity: 'problem',
        title: `${namesOf(found.map(({ root }) => root))} did not see who called`,
        evidence: found
          .slice(0, 3)
          .map(
            ({ call, root }) =>
              `${root.name} began without a parent while the call ${call.id} to ${call.name} waited and had no answer.`,
          )
          .join(' '),
        fix: oneLanguage,
        ids: idsOf(found.flatMap(({ root, call }) => [root, call])),
      },
    ];
  }
  return foreignId(facts);
}

const oneLanguage =
  'Caller and callee read different headers: X-Amzn-Trace-Id and traceparent, or Root without Parent. Let all services speak the same: OTEL_PROPAGATORS=xray,tracecontext on OpenTelemetry, and let the X-Ray SDK write its header on every outgoing call.';

/**
 * X-Ray begins an id with the time, W3C with chance. That alone breaks nothing; it tells who began
 * the trace when a segment of an X-Ray SDK hangs wrong in it.
 */
function foreignId(facts: Facts): readonly Finding[] {
  const { trace, reported, byId } = facts;
  const begun = trace.root;
  const idSeconds = Number.parseInt(trace.traceId.slice(0, 8), 16);
  const isPlausible = Math.abs(idSeconds - Number(trace.startTimeNs / 1_000_000_000n)) <= idSecondsMax;
  if (isPlausible || !begun || isOfXraySdk(begun)) return [];
  const adrift = reported.filter((node) => node !== begun && !byId.has(node.parentId ?? '') && isOfXraySdk(node));
  if (adrift.length === 0) return [];
  return [
    {
      code: 'PROPAGATION_MIXED',
      severity: 'problem',
      title: `${namesOf(adrift)} and the caller pass traces on in different ways`,
      evidence: `The id of the trace does not begin with its time, so OpenTelemetry made it; ${namesOf(adrift)} came from an X-Ray SDK and hangs nowhere.`,
      fix: oneLanguage,
      ids: idsOf(adrift),
    },
  ];
}

/** X-Ray itself takes ids that are 30 days old. */
const idSecondsMax = 30 * 86_400;

/** They call themselves `X-Ray for Node.js` and the like. */
function isOfXraySdk({ document }: SegmentNode): boolean {
  const sdk = readText(readObject(readObject(document, 'aws'), 'xray'), 'sdk') ?? '';
  return /^X-Ray/i.test(sdk);
}

/** They share the id of the trace, so it was passed on; the id of the caller's span was not. */
export function severalRoots(facts: Facts): readonly Finding[] {
  const explained = new Set(facts.handovers.map(({ root }) => root));
  const roots = rootsOf(facts).filter((root) => !explained.has(root));
  if (roots.length < 2) return [];
  return [
    {
      code: 'SEVERAL_ROOTS',
      severity: 'problem',
      title: `${roots.length} segments say that nobody called them`,
      evidence: `${namesOf(roots)} have no parent, though they share the id of the trace.`,
      fix: 'The id of the trace was passed on without that of the calling span: a load balancer adds Root alone to X-Amzn-Trace-Id, and services that read one header and write another lose the parent. Let all of them speak the same ones: OTEL_PROPAGATORS=xray,tracecontext.',
      ids: idsOf(roots),
    },
  ];
}

function rootsOf({ reported }: Pick<Facts, 'reported'>): readonly SegmentNode[] {
  return reported.filter(({ parentId, subsegment }) => parentId === undefined && !subsegment);
}
