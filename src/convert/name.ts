import type { Attributes, Span } from '../model/index.ts';
import { SpanKind } from '../model/index.ts';
import { isAwsRpc } from './aws.ts';
import type { DocumentView, SpanView } from './section.ts';
import { rootPlace, textAt, textOf } from './section.ts';
import { databaseName, databaseSystem } from './sql.ts';
import { splitUrl } from './url.ts';

/**
 * `name` (AWS X-Ray developer guide, "segment fields"). A segment has the name of its service, a
 * call the name of what was called, other work the name of the span; none of them is the span's
 * name for certain, so the envelope keeps that, and `aws.xray.name` the document's.
 */

/** AWS X-Ray's limit, in code points. */
export const nameLengthMax = 200;
const illegalCharacters = /[^\p{L}\p{N}\s_.:/%&#=+\\\-@]/gu;

/** Name of documents whose own name cannot be read. */
const unknownName = 'unknown';
/** Name of documents of spans whose names have no legal character, as the Collector writes it. */
export const illegalName = 'span';

interface NameRules {
  readonly namesNamespace: boolean;
}

export function writeName(view: SpanView, rules: NameRules): string {
  const known = textOf(view.attributes, 'aws.xray.name') ?? '';
  const knownName = legalName(known);
  if (knownName === known) view.shown.add('aws.xray.name');
  if (knownName !== '') return knownName;
  for (const candidate of candidates(view, rules)) {
    const name = legalName(candidate ?? '');
    if (name !== '') return name;
  }
  return illegalName;
}

/** Only letters, digits, white space and `_.:/%&#=+\-@`, at most 200 code points. */
export function legalName(text: string): string {
  const legal = text.replaceAll(illegalCharacters, '');
  // A text of so few code units cannot have too many code points.
  return legal.length <= nameLengthMax ? legal : [...legal].slice(0, nameLengthMax).join('');
}

function candidates(view: SpanView, rules: NameRules): readonly (string | undefined)[] {
  if (view.form === 'segment') return serviceNames(view.span, view.attributes, rules);
  return isCall(view.span.kind) ? calleeNames(view) : [view.span.name];
}

function isCall(kind: number): boolean {
  return kind === SpanKind.client || kind === SpanKind.producer || kind === SpanKind.consumer;
}

/** Names of the service that the span belongs to, best first. */
function serviceNames(span: Span, attributes: Attributes, rules: NameRules): readonly (string | undefined)[] {
  const resource = span.resource.attributes;
  const service = textOf(resource, 'service.name');
  const namespace = rules.namesNamespace ? textOf(resource, 'service.namespace') : undefined;
  const isKnown = service !== undefined && !service.startsWith('unknown_service');
  return [
    textOf(attributes, 'aws.local.service'),
    isKnown && namespace !== undefined ? `${namespace}/${service}` : undefined,
    ...(isKnown ? [] : deploymentKeys.map((key) => textOf(resource, key))),
    service,
    span.name,
  ];
}

/**
 * Where the service has no name but the `unknown_service:java` that SDKs make up (semantic
 * conventions, "service"), what it was deployed as says more.
 */
const deploymentKeys = ['faas.name', 'k8s.deployment.name', 'aws.ecs.task.family', 'container.name'] as const;

/** Names of what the span called, best first. */
function calleeNames({ span, attributes }: SpanView): readonly (string | undefined)[] {
  const remoteService = textOf(attributes, 'rpc.service') ?? serviceOfMethod(attributes);
  return [
    withoutSdkPrefix(textOf(attributes, 'aws.remote.service'), attributes),
    textOf(attributes, 'service.peer.name') ?? textOf(attributes, 'peer.service'),
    textOf(attributes, 'aws.service') ?? (isAwsRpc(attributes) ? awsServiceName(remoteService) : undefined),
    databaseLabel(attributes),
    remoteService,
    textOf(attributes, 'messaging.destination.name') ?? textOf(attributes, 'messaging.destination'),
    textOf(attributes, 'messaging.system'),
    hostOf(textOf(attributes, 'url.full') ?? textOf(attributes, 'http.url')),
    textOf(attributes, 'http.host')?.replace(/:\d{1,5}$/, ''),
    textOf(attributes, 'server.address'),
    textOf(attributes, 'net.peer.name'),
    textOf(attributes, 'net.sock.peer.name'),
    textOf(attributes, 'network.peer.address'),
    span.name,
  ];
}

/** Before the names of AWS services, as instrumentations write them. */
export const sdkPrefix = /^(?:AWS\.SDK\.|AWS::)/;

/** The stable conventions name service and method in one: `com.foo.AnimalService/Feed`. */
function serviceOfMethod(attributes: Attributes): string | undefined {
  const method = textOf(attributes, 'rpc.method');
  return method?.includes('/') ? method.slice(0, method.lastIndexOf('/')) : undefined;
}

function withoutSdkPrefix(service: string | undefined, attributes: Attributes): string | undefined {
  return isAwsRpc(attributes) ? service?.replace(sdkPrefix, '') : service;
}

/** X-Ray draws icons by these spellings; SDKs of other languages write `DynamoDb` or `Sqs`. */
const awsServiceSpellings: ReadonlyMap<string, string> = new Map(
  ['DynamoDB', 'SQS', 'SNS', 'S3', 'Lambda', 'Kinesis', 'SecretsManager', 'StepFunctions', 'EventBridge'].map(
    (name) => [name.toLowerCase(), name],
  ),
);

export function awsServiceName(service: string | undefined): string | undefined {
  if (service === undefined) return undefined;
  return awsServiceSpellings.get(service.replaceAll(' ', '').toLowerCase()) ?? service;
}

/** `database@host`, X-Ray's convention for databases; the system alone when the database is not known. */
function databaseLabel(attributes: Attributes): string | undefined {
  const system = databaseSystem(attributes);
  const database = databaseName(attributes);
  const host =
    textOf(attributes, 'server.address') ??
    textOf(attributes, 'net.peer.name') ??
    hostOf(textOf(attributes, 'db.connection_string'));
  if (database === undefined) return system;
  return host === undefined ? database : `${database}@${host}`;
}

function hostOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : splitUrl(url)?.host;
}

/** The document's name; `unknown` when it has none that can be read. */
export function readName(view: DocumentView): string {
  const name = textAt(view, rootPlace(view), 'name');
  if (name === undefined) view.report('/name', 'expected a name');
  return name ?? unknownName;
}

/** The span's name, from what the span did; the document's name where that says more. */
export function readOperation(view: DocumentView, name: string): string {
  const operation = view.style.nameStyle === 'segment' ? name : operationOf(view, name);
  const isRestored = operation === name && legalName(name) === name;
  if (!view.ours && !isRestored) view.attributes.set('aws.xray.name', name);
  return operation;
}

function operationOf({ attributes, document, form }: DocumentView, name: string): string {
  if (form !== 'segment' && document.get('namespace') === 'aws') {
    const operation = textOf(attributes, 'aws.operation');
    return operation === undefined ? name : `${name}.${operation}`;
  }
  const method = textOf(attributes, 'http.request.method');
  if (method !== undefined) {
    const route = textOf(attributes, 'http.route');
    return route === undefined ? method : `${method} ${route}`;
  }
  return statementLabel(attributes) ?? name;
}

/** First keyword of the statement and the database: `SELECT ebdb`. */
function statementLabel(attributes: Attributes): string | undefined {
  const keyword = /^\s{0,100}([A-Za-z]{2,20})/.exec(textOf(attributes, 'db.query.text') ?? '')?.[1]?.toUpperCase();
  const database = textOf(attributes, 'db.namespace');
  return keyword !== undefined && database !== undefined ? `${keyword} ${database}` : keyword;
}
