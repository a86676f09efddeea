import type { AttributeValue, JsonObject, Resource, Span } from '../model/index.ts';
import { emptyScope } from '../model/index.ts';
import type { WriteRules, Written } from './document.ts';
import {
  identityOf,
  ignore,
  plainRules,
  readDocument,
  residualAttribute,
  withoutResidual,
  writeDocument,
} from './document.ts';
import type { EnvelopeLevel } from './envelope.ts';
import {
  applyEnvelope,
  hasForeignEnvelope,
  readCut,
  readEnvelope,
  readRemoved,
  readRenames,
  unknownMembers,
  withBasics,
  withCut,
  withEnvelope,
  withoutEnvelope,
  writeEnvelope,
} from './envelope.ts';
import { sameEvents, sameSpan, sameValue } from './equality.ts';
import type { SpanIdentity } from './identity.ts';
import type { DocumentPolicy, SegmentPolicy } from './policy.ts';
import { formOf, identify, readForm } from './identity.ts';
import { envelopeNamespace, isNamespace } from './metadata.ts';
import type { Placement } from './residual.ts';
import { applyResidual, readPlacement, residualOfEnvelope, writeResidual } from './residual.ts';
import type { DocumentForm, JsonText, Report } from './section.ts';
import { pointerTo } from './section.ts';
import { jsonBytes } from './size.ts';
import type { SpanStyle } from './style.ts';
import { plainStyle, readStyle } from './style.ts';
import type { Truncated } from './truncate.ts';
import { cutNoteBytesMax, isBeginningOf, truncate, withoutCutMarks } from './truncate.ts';

/**
 * One span ↔ one document without its subsegments, and nothing lost either way.
 *
 * Neither side can show all of the other. So each direction does its plain mapping, runs the other
 * direction on the result at once, and writes down what is missing: a document gets the difference
 * as its envelope, a span as its residual. A span that came from a foreign document leads back to
 * that document, and one with an envelope leads back to its span, because that is how the
 * differences are made; no rule of any section has to be reversible for it.
 */

export interface DocumentPlan {
  readonly policy: SegmentPolicy;
  readonly form: DocumentForm;
  readonly rules: WriteRules;
  readonly envelope: EnvelopeLevel;
  readonly json: JsonText;
  /** The span's residual, when it has one. */
  readonly residual: JsonObject | undefined;
  /** Members of its envelope that this version does not know, when it came from one of our documents. */
  readonly unknown: JsonObject | undefined;
  /** The root's resource, of embedded documents. */
  readonly inherited: Resource | undefined;
  /** Stands for the resource, when another document carries that. */
  readonly resourceHash: string | undefined;
  /** As of a `WritePlan`. The metadata of a foreign document then come back in part; all else is as it was. */
  readonly omitsRest: boolean;
  /** Of a span that was split: the id of its service's segment, which the document names as its parent. */
  readonly serviceId: string | undefined;
}

/** The document of a span: the foreign one that it came from when it still is the same, else one of the policy's. */
export function documentOf(span: Span, plan: DocumentPlan): JsonObject {
  const shown = shownSpan(span, plan);
  const policy = otherPolicy(plan);
  if (policy && (plan.envelope === 'off' || !isBare(span))) return otherDocument(span, policy, plan);
  const written = writeDocument(shown, { ...plan, rules: plainRules });
  const alike = alikeDocument(span, written, plan);
  if (alike) return alike;
  const foreign = foreignDocument(span, written, plan);
  if (foreign) return foreign;
  return policy ? otherDocument(span, policy, plan) : ownDocument(span, ruled(shown, written, plan), plan);
}

/** What came from X-Ray goes back as it was, so others are imitated for other spans only. */
function otherPolicy({ policy, residual }: DocumentPlan): DocumentPolicy | undefined {
  return policy === 'auto' || residual ? undefined : policy;
}

function otherDocument(span: Span, policy: DocumentPolicy, plan: DocumentPlan): JsonObject {
  const shown = shownSpan(span, plan);
  const written = plan.serviceId === undefined ? policy.writeDocument(shown, plan) : policy.writeCall(shown, plan);
  if (plan.envelope === 'off') return written.document;
  const context = { ...plan, ...identityOf(shown), ...ourContext, renames: written.renames, report: ignore };
  return enclose(span, { ...written, back: () => readDocument(written.document, context) }, plan);
}

/**
 * The document that is the same whether the span still is what it came from or not, and so needs no
 * comparison: when no envelope tells the difference, the rules change nothing, and the foreign
 * document has nothing in the place of an envelope.
 */
function alikeDocument(span: Span, written: Written, plan: DocumentPlan): JsonObject | undefined {
  if (plan.envelope !== 'off' || plan.rules !== plainRules) return undefined;
  if (!plan.residual) return written.document;
  const document = restored(span, written, plan);
  return withoutEnvelope(document) === document ? document : undefined;
}

/** The span as its own document shows it: the call of a split span has another parent. */
function shownSpan(span: Span, { serviceId }: DocumentPlan): Span {
  return serviceId === undefined ? span : { ...span, parentSpanId: serviceId };
}

/** Bytes that the envelope of a cut document gets besides: the list of what was cut, and keys to remove. */
const cutNotesBytes = cutNoteBytesMax + 1000;

/**
 * The document of a span cut to a size, when `document` is too large. With a full envelope it is one
 * of our own, which alone can tell its reader what was cut; a residual then is an attribute like
 * any other.
 */
export function truncatedDocumentOf(
  span: Span,
  plan: DocumentPlan,
  { document, bytesMax }: { readonly document: JsonObject; readonly bytesMax: number },
): Truncated {
  const isOurs = !plan.residual && readEnvelope(document);
  const whole = plan.envelope === 'full' && !isOurs ? madeDocument(span, plan) : document;
  const { document: rest, cut } = truncate(withBasics(whole, span), bytesMax - cutNotesBytes);
  const noted = withCut(rest, cut);
  const exact = withoutStrangers(noted, span, plan);
  return { document: jsonBytes(exact) <= bytesMax ? exact : noted, cut };
}

/** The document that the span alone leads to. */
function madeDocument(span: Span, plan: DocumentPlan): JsonObject {
  const policy = otherPolicy(plan);
  return policy ? otherDocument(span, policy, plan) : enclose(span, writeDocument(shownSpan(span, plan), plan), plan);
}

/**
 * What is left of a document may lead to attributes that the whole one would not have led to. They
 * are removed on reading, as those are that no document can avoid. Beginnings of texts may stay.
 */
function withoutStrangers(document: JsonObject, span: Span, plan: DocumentPlan): JsonObject {
  const envelope = readEnvelope(document);
  const found = envelope && foundAs(document, span, plan);
  if (!found || plan.envelope !== 'full') return document;
  const { attributes } = ourSpan(document, envelope, { ...plan, ...found, named: undefined, report: ignore });
  const strangers = [...attributes.keys()].filter((key) => !isOf(span, key, attributes.get(key)));
  if (strangers.length === 0) return document;
  const removed = [...readRemoved(envelope), ...strangers].sort();
  return withEnvelope(document, new Map(envelope).set('x', removed));
}

/** True when the span has the attribute, at least the beginning of its text or some of a namespace of its metadata. */
function isOf({ attributes }: Span, key: string, value: AttributeValue): boolean {
  if (!attributes.has(key)) return false;
  const wanted = attributes.get(key);
  return sameValue(value, wanted) || isBeginningOf(value, wanted) || isNamespace(key);
}

function foreignDocument(span: Span, written: Written, plan: DocumentPlan): JsonObject | undefined {
  if (plan.serviceId !== undefined || plan.unknown || (!plan.residual && !mayBeForeign(span, written)))
    return undefined;
  const document = restored(span, written, plan);
  const found = foundAs(document, span, plan);
  if (!found || readEnvelope(document)) return undefined;
  const { inherited, json } = plan;
  const { embedded, strays } = readPlacement(plan.residual);
  // Sent alone, a document has no place in another.
  const placement = { embedded: plan.form === 'embedded' ? embedded : undefined, strays };
  const context = { ...found, placement, inherited, style: readStyle(plan.residual?.get('i')), json, report: ignore };
  const { span: read } = readDocument(document, { ...context, ...foreignContext });
  // Only then has the document of this span been written already, and needs not be written again.
  if (!sameSpan(read, withoutResidual(span))) return undefined;
  const form = formOfForeign(read, placement);
  const again = form === plan.form ? written : writeDocument(read, { form, ...plainPlan, json, inherited });
  return sameSpan(withResidual(read, document, again, context), span) ? document : undefined;
}

/** Cheap signs of a span that no foreign document without a residual can lead to. */
function mayBeForeign(span: Span, { restCount }: Written): boolean {
  return restCount === 0 && isBare(span);
}

/** Without what every span of an instrumentation has and no document does. */
function isBare({ traceState, flags, scope }: Span): boolean {
  return traceState === '' && flags === 0 && scope.name === emptyScope.name;
}

/** What the span leads to, with its residual. */
function restored(span: Span, { document }: Written, { residual, json, ...plan }: DocumentPlan): JsonObject {
  if (!residual) return document;
  const fitsCause = (candidate: JsonObject): boolean => {
    const found = foundAs(candidate, span, plan);
    if (!found) return false;
    const context = { ...foreignContext, style: plainStyle, ...plan, ...found, json, report: ignore };
    const read = readDocument(candidate, context).span;
    return sameEvents(read.events, span.events) && read.status.message === span.status.message;
  };
  return applyResidual(document, residual, { json, fitsCause });
}

/** Who a reader will take the document for: a residual may have given it another type, or ids. */
function foundAs(
  document: JsonObject,
  span: Span,
  { form }: Pick<DocumentPlan, 'form'>,
): (SpanIdentity & { readonly form: DocumentForm }) | undefined {
  if (form === 'embedded') return { ...identityOf(span), form };
  const found = identify(document);
  return found && { ...found, form: readForm(document) };
}

const plainPlan = { rules: plainRules, omitsRest: false } as const;
const ourContext = { ours: true, style: plainStyle } as const;
const foreignContext = { ours: false, renames: new Map<string, string>() } as const;

function ruled(span: Span, written: Written, plan: DocumentPlan): Written {
  return plan.rules === plainRules ? written : writeDocument(span, plan);
}

function ownDocument(span: Span, written: Written, plan: DocumentPlan): JsonObject {
  return (plan.residual && changedDocument(span, written, plan)) ?? enclose(span, written, plan);
}

/**
 * A span of a foreign document that was changed on its way: the residual still gives the document
 * what no attribute holds. Undefined when the residual is none of ours and leads astray.
 */
function changedDocument(span: Span, written: Written, plan: DocumentPlan): JsonObject | undefined {
  const document = withoutEnvelope(restored(span, written, plan));
  if (plan.envelope === 'off') return document;
  const { renames } = written;
  const found = foundAs(document, span, plan);
  if (!found) return undefined;
  const back = readDocument(document, { ...plan, ...found, ...ourContext, renames, report: ignore });
  const { envelope: level, resourceHash, json } = plan;
  const envelope = writeEnvelope(span, { ...written, renames, back }, { level, role: undefined, resourceHash, json });
  const named = resourceHash === undefined ? undefined : span.resource;
  const isExact = level === 'minimal' || sameSpan(applyEnvelope(back, envelope, { json, named }), span);
  return isExact ? withEnvelope(document, envelope) : undefined;
}

function enclose(
  span: Span,
  written: Omit<Written, 'restCount'>,
  { envelope: level, serviceId, unknown, resourceHash, json }: DocumentPlan,
): JsonObject {
  if (level === 'off') return written.document;
  const role = serviceId === undefined ? undefined : 'dep';
  const envelope = writeEnvelope(span, { ...written, back: written.back() }, { level, role, resourceHash, json });
  return withEnvelope(written.document, unknown && level === 'full' ? new Map([...envelope, ...unknown]) : envelope);
}

interface DocumentContext extends OurContext {
  readonly placement: Placement;
  /** How the span is worded when the document is a foreign one. */
  readonly style: SpanStyle;
}

interface OurContext extends SpanIdentity {
  readonly form: DocumentForm;
  /** The root's resource, of embedded documents. */
  readonly inherited: Resource | undefined;
  /** The resource that the envelope gives the hash of. */
  readonly named: Resource | undefined;
  readonly json: JsonText;
  readonly report: Report;
}

/** The span of a document: the one that its envelope belongs to, else one with a residual. */
export function spanOf(document: JsonObject, envelope: JsonObject | undefined, context: DocumentContext): Span {
  if (!envelope) {
    if (hasForeignEnvelope(document)) context.report(envelopePointer, 'expected an envelope of version 1');
    return foreignSpan(document, context);
  }
  for (const pointer of readCut(envelope)) context.report(pointer, 'cut to fit the size of a document');
  return withUnknown(ourSpan(document, envelope, context), unknownMembers(envelope), context);
}

const envelopePointer = `/metadata/${envelopeNamespace}`;

function ourSpan(document: JsonObject, envelope: JsonObject, context: OurContext): Span {
  const read = readDocument(withoutCutMarks(document, readCut(envelope)), {
    traceId: context.traceId,
    spanId: context.spanId,
    parentSpanId: context.parentSpanId,
    startTimeNs: context.startTimeNs,
    form: context.form,
    inherited: context.inherited,
    ours: true,
    style: plainStyle,
    renames: readRenames(envelope),
    json: context.json,
    report: context.report,
  });
  return applyEnvelope(read, envelope, context);
}

/** A span that has a residual of its own cannot keep another one. */
function withUnknown(span: Span, unknown: JsonObject, { json, report }: DocumentContext): Span {
  if (unknown.size === 0) return span;
  if (span.attributes.has(residualAttribute)) {
    for (const name of unknown.keys())
      report(pointerTo({ pointer: envelopePointer }, name), 'expected no residual beside unknown members');
    return span;
  }
  const attributes = new Map<string, AttributeValue>(span.attributes);
  return { ...span, attributes: attributes.set(residualAttribute, json.print(residualOfEnvelope(unknown))) };
}

function foreignSpan(document: JsonObject, context: DocumentContext): Span {
  const { json, placement, inherited } = context;
  const { span } = readDocument(document, { ...context, ...foreignContext });
  const form = formOfForeign(span, placement);
  return withResidual(span, document, writeDocument(span, { form, ...plainPlan, json, inherited }), context);
}

function withResidual(
  span: Span,
  document: JsonObject,
  written: Written,
  context: Pick<DocumentContext, 'placement' | 'style' | 'json'>,
): Span {
  const residual = writeResidual(document, written.document, context);
  if (!residual) return span;
  const attributes = new Map<string, AttributeValue>(span.attributes);
  return { ...span, attributes: attributes.set(residualAttribute, context.json.print(residual)) };
}

/** A foreign document was one document, so its span is never split. */
function formOfForeign(span: Span, { embedded }: Pick<Placement, 'embedded'>): DocumentForm {
  return embedded ? 'embedded' : formOfForeignAlone(span);
}

/** The form that it has outside any other document. */
export function formOfForeignAlone(span: Span): 'segment' | 'subsegment' {
  const form = formOf(span, 'auto');
  return form === 'split' ? 'segment' : form;
}
