import type { AttributeValue, Attributes, JsonArray, JsonObject, JsonValue } from '../model/index.ts';
import { isJsonObject } from '../model/index.ts';
import type { DocumentView, Place, SpanView } from './section.ts';
import {
  addMembers,
  integerAt,
  listAt,
  objectOf,
  placeAt,
  pointerTo,
  rootPlace,
  setAttribute,
  showInteger,
  showText,
  textAt,
  textOf,
  textsAt,
  textsOf,
  trueAt,
} from './section.ts';

/**
 * `aws` (AWS X-Ray developer guide, "AWS resource data"): on segments where the service runs, from
 * the resource; on any document which AWS service was called, from the span's attributes.
 */

/** A call of an AWS service through one of the AWS SDKs. */
export function isAwsCall(attributes: Attributes): boolean {
  return isAwsRpc(attributes) || textOf(attributes, 'aws.service') !== undefined;
}

export function isAwsRpc(attributes: Attributes): boolean {
  return attributes.get('rpc.system.name') === 'aws-api' || attributes.get('rpc.system') === 'aws-api';
}

export function writeAws(
  view: SpanView,
  { logGroups }: { readonly logGroups: readonly string[] },
): JsonObject | undefined {
  const aws = new Map<string, JsonValue>();
  if (view.form === 'segment') addMembers(aws, writeSurroundings(view.span.resource.attributes, logGroups));
  addMembers(aws, { account_id: showText(view, 'aws.account_id') });
  addMembers(aws, writeCall(view));
  return aws.size === 0 ? undefined : aws;
}

type Members = Readonly<Record<string, JsonValue | undefined>>;

/** Where the service runs. Other clouds have hosts and containers too, but X-Ray has no place for them. */
function writeSurroundings(resource: Attributes, logGroups: readonly string[]): Members {
  const provider = textOf(resource, 'cloud.provider');
  if (provider !== undefined && provider !== 'aws') return { xray: writeSdk(resource) };
  const platform = textOf(resource, 'cloud.platform');
  // X-Ray's SDKs tell of containers and environments without saying which platform they are of.
  const isUnnamed = (key: string): boolean =>
    platform === undefined && provider === 'aws' && !resource.has('k8s.cluster.name') && resource.has(key);
  return {
    account_id: textOf(resource, 'cloud.account.id'),
    ec2: platform === 'aws_ec2' || isInstanceId(textOf(resource, 'host.id')) ? writeEc2(resource) : undefined,
    ecs: platform === 'aws_ecs' || isUnnamed('container.name') ? writeEcs(resource) : undefined,
    eks: platform === 'aws_eks' || textOf(resource, 'k8s.cluster.name') ? writeEks(resource) : undefined,
    elastic_beanstalk:
      platform === 'aws_elastic_beanstalk' || isUnnamed('service.instance.id') ? writeBeanstalk(resource) : undefined,
    cloudwatch_logs: writeLogGroups(resource, logGroups),
    xray: writeSdk(resource),
  };
}

/** `host.id` is a machine id outside EC2. */
function isInstanceId(hostId: string | undefined): boolean {
  return hostId !== undefined && /^m?i-[0-9a-f]{8,32}$/.test(hostId);
}

function writeEc2(resource: Attributes): JsonObject | undefined {
  return objectOf(textMembers(resource, ec2Members));
}

function writeEcs(resource: Attributes): JsonObject | undefined {
  return objectOf(textMembers(resource, ecsMembers));
}

function writeEks(resource: Attributes): JsonObject | undefined {
  return objectOf(textMembers(resource, eksMembers));
}

export type MemberTable = readonly (readonly [member: string, attribute: string])[];

export const ec2Members: MemberTable = [
  ['availability_zone', 'cloud.availability_zone'],
  ['instance_id', 'host.id'],
  ['instance_size', 'host.type'],
  ['ami_id', 'host.image.id'],
];
export const ecsMembers: MemberTable = [
  ['container', 'container.name'],
  ['container_id', 'container.id'],
  ['availability_zone', 'cloud.availability_zone'],
  ['container_arn', 'aws.ecs.container.arn'],
  ['cluster_arn', 'aws.ecs.cluster.arn'],
  ['task_arn', 'aws.ecs.task.arn'],
  ['task_family', 'aws.ecs.task.family'],
  ['launch_type', 'aws.ecs.launchtype'],
];
export const eksMembers: MemberTable = [
  ['cluster_name', 'k8s.cluster.name'],
  ['pod', 'k8s.pod.name'],
  ['container_id', 'container.id'],
];

function textMembers(attributes: Attributes, table: MemberTable): Members {
  const members: Record<string, JsonValue | undefined> = {};
  for (const [member, attribute] of table) members[member] = textOf(attributes, attribute);
  return members;
}

const digitsPattern = /^(?:0|[1-9]\d{0,17})$/;

function writeBeanstalk(resource: Attributes): JsonObject | undefined {
  const deployment = textOf(resource, 'service.instance.id');
  return objectOf({
    environment_name: textOf(resource, 'service.namespace'),
    version_label: textOf(resource, 'service.version'),
    deployment_id: deployment !== undefined && digitsPattern.test(deployment) ? { literal: deployment } : undefined,
  });
}

/** ARNs say more than names; a group of neither is unknown. */
function writeLogGroups(resource: Attributes, others: readonly string[]): JsonArray | undefined {
  const arns = groupsOf(resource.get('aws.log.group.arns'));
  if (arns)
    return arns.map(
      (arn) =>
        new Map([
          ['log_group', arn.split(':')[6] ?? arn],
          ['arn', arn],
        ]),
    );
  const names = groupsOf(resource.get('aws.log.group.names')) ?? groupsOf(others);
  return names?.map((name) => new Map([['log_group', name]]));
}

/** A list, or one text with `&` between the groups, as the Collector takes it. */
function groupsOf(value: AttributeValue): readonly string[] | undefined {
  const texts = typeof value === 'string' ? value.split('&') : textsOf(value);
  const groups = texts?.filter((text) => text !== '');
  return groups && groups.length > 0 ? groups : undefined;
}

function writeSdk(resource: Attributes): JsonObject | undefined {
  const isAutomatic =
    resource.get('aws.xray.auto_instrumentation') === true ||
    textOf(resource, 'telemetry.auto.version') !== undefined ||
    textOf(resource, 'telemetry.distro.version') !== undefined;
  return objectOf({
    sdk: sdkText(resource),
    sdk_version: textOf(resource, 'telemetry.sdk.version'),
    auto_instrumentation: isAutomatic ? true : undefined,
  });
}

/** `X-Ray for Go`, `opentelemetry for java`: the language is not appended to a name that ends with it. */
function sdkText(resource: Attributes): string | undefined {
  const name = textOf(resource, 'telemetry.sdk.name');
  const language = textOf(resource, 'telemetry.sdk.language');
  if (name === undefined || language === undefined || languageOfSdk(name) === language) return name;
  return `${name} for ${language}`;
}

const sdkLanguages: ReadonlyMap<string, string> = new Map([
  ['node.js', 'nodejs'],
  ['.net', 'dotnet'],
  ['c++', 'cpp'],
]);

function languageOfSdk(sdk: string): string | undefined {
  const at = sdk.lastIndexOf(' for ');
  const language = at < 0 ? '' : sdk.slice(at + 5).toLowerCase();
  return language === '' ? undefined : (sdkLanguages.get(language) ?? language);
}

/** The call: operation, request and the thing called. */
function writeCall(view: SpanView): Members {
  const tables = textsOf(view.attributes.get('aws.dynamodb.table_names')) ?? [];
  return {
    operation: writeOperation(view),
    region: writeRegion(view),
    request_id: showText(view, 'aws.request_id', 'aws.requestId'),
    queue_url: showText(view, 'aws.queue_url', 'aws.queue.url', 'aws.sqs.queue.url', 'messaging.url'),
    table_name: tables.length > 1 ? undefined : (showText(view, 'aws.table_name', 'aws.table.name') ?? tables[0]),
    table_names: tables.length > 1 ? tables : undefined,
    topic_arn: showText(view, 'aws.sns.topic.arn', 'aws.topic_arn'),
    function_name: showText(view, 'faas.invoked_name'),
    function_arn: showText(view, 'aws.function_arn', 'aws.lambda.invoked_arn'),
    retries: showInteger(view, 'aws.xray.retries'),
    api_gateway: objectOf({
      rest_api_id: showText(view, 'aws.apigateway.id'),
      stage: showText(view, 'aws.apigateway.stage'),
    }),
    resource_names: writeResourceNames(view.attributes),
  };
}

/** Only AWS calls have an operation: the methods of other RPC systems stay what they are. */
function writeOperation(view: SpanView): string | undefined {
  const operation = showText(view, 'aws.operation');
  if (operation !== undefined || !isAwsRpc(view.attributes)) return operation;
  const method = showText(view, 'rpc.method');
  return method?.slice(method.lastIndexOf('/') + 1);
}

/** A region of the span is worth a word when it is not the service's own. */
function writeRegion(view: SpanView): string | undefined {
  const region = showText(view, 'aws.region');
  const isOwn = view.attributes.get('cloud.region') === view.span.resource.attributes.get('cloud.region');
  return region ?? (isOwn ? undefined : showText(view, 'cloud.region'));
}

const namedResources = [
  'aws.s3.bucket',
  'aws.kinesis.stream_name',
  'aws.secretsmanager.secret.arn',
  'aws.step_functions.state_machine.arn',
] as const;

function writeResourceNames(attributes: Attributes): JsonArray | undefined {
  const names = namedResources.map((key) => textOf(attributes, key)).filter((name) => name !== undefined);
  return names.length === 0 ? undefined : names;
}

export function readAws(view: DocumentView): void {
  const aws = placeAt(view, rootPlace(view), 'aws');
  if (aws && view.form === 'segment') readSurroundings(view, aws);
  else setAttribute(view.attributes, 'aws.account_id', textAt(view, aws, 'account_id'));
  if (view.form !== 'segment' && view.document.get('namespace') === 'aws') readService(view, aws);
  if (aws) readCall(view, aws);
}

function readSurroundings(view: DocumentView, aws: Place): void {
  const { resource } = view;
  setAttribute(resource, 'cloud.account.id', textAt(view, aws, 'account_id'));
  readTexts(view, placeAt(view, aws, 'ec2'), ec2Members);
  readTexts(view, placeAt(view, aws, 'ecs'), ecsMembers);
  readTexts(view, placeAt(view, aws, 'eks'), eksMembers);
  readBeanstalk(view, placeAt(view, aws, 'elastic_beanstalk'));
  readLogGroups(view, aws);
  readSdk(view, placeAt(view, aws, 'xray'));
}

function readTexts(view: DocumentView, place: Place | undefined, table: MemberTable): void {
  for (const [member, attribute] of table) setAttribute(view.resource, attribute, textAt(view, place, member));
}

/** The version of the service, when the document tells it, goes before the label of the deployment. */
function readBeanstalk(view: DocumentView, place: Place | undefined): void {
  setAttribute(view.resource, 'service.namespace', textAt(view, place, 'environment_name'));
  setAttribute(view.resource, 'service.instance.id', integerAt(view, place, 'deployment_id')?.toString());
  const label = textAt(view, place, 'version_label');
  if (!view.resource.has('service.version')) setAttribute(view.resource, 'service.version', label);
}

function readLogGroups(view: DocumentView, aws: Place): void {
  const groups = listAt(view, aws, 'cloudwatch_logs') ?? [];
  const members = (name: string): readonly string[] =>
    groups.flatMap((group) => {
      const value = isJsonObject(group) ? group.get(name) : undefined;
      return isText(value) ? [value] : [];
    });
  const arns = members('arn');
  const names = members('log_group');
  for (const [i, group] of groups.entries()) {
    const isNamed = isJsonObject(group) && (isText(group.get('log_group')) || isText(group.get('arn')));
    if (!isNamed)
      view.report(`${pointerTo(aws, 'cloudwatch_logs')}/${i}`, 'expected a log group with a name or an ARN');
  }
  if (arns.length > 0) view.resource.set('aws.log.group.arns', arns);
  if (names.length > 0) view.resource.set('aws.log.group.names', names);
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

/** The name keeps X-Ray's own spelling, `X-Ray for Go`; only names that can be put together again are split. */
function readSdk(view: DocumentView, place: Place | undefined): void {
  const { resource } = view;
  const sdk = textAt(view, place, 'sdk');
  const language = sdk === undefined ? undefined : languageOfSdk(sdk);
  const isSplit = sdk !== undefined && sdk.startsWith('opentelemetry for ') && sdk === `opentelemetry for ${language}`;
  setAttribute(resource, 'telemetry.sdk.name', isSplit ? 'opentelemetry' : sdk);
  setAttribute(resource, 'telemetry.sdk.language', language);
  setAttribute(resource, 'telemetry.sdk.version', textAt(view, place, 'sdk_version'));
  setAttribute(resource, 'aws.xray.auto_instrumentation', trueAt(view, place, 'auto_instrumentation'));
}

/** A subsegment of namespace `aws` has the name of the service that was called. */
function readService(view: DocumentView, aws: Place | undefined): void {
  const name = textAt(view, rootPlace(view), 'name');
  const { attributes } = view;
  attributes.set('rpc.system', 'aws-api');
  setAttribute(attributes, 'rpc.service', name);
  setAttribute(attributes, 'rpc.method', textAt(view, aws, 'operation'));
  setAttribute(attributes, 'aws.service', name);
}

function readCall(view: DocumentView, aws: Place): void {
  const { attributes } = view;
  setAttribute(attributes, 'aws.operation', textAt(view, aws, 'operation'));
  const region = textAt(view, aws, 'region');
  setAttribute(attributes, 'aws.region', region);
  setAttribute(attributes, 'cloud.region', region);
  setAttribute(attributes, 'aws.request_id', textAt(view, aws, 'request_id'));
  readQueue(view, textAt(view, aws, 'queue_url'));
  readTables(view, aws);
  readTopic(view, textAt(view, aws, 'topic_arn'));
  setAttribute(attributes, 'faas.invoked_name', textAt(view, aws, 'function_name'));
  readFunction(view, textAt(view, aws, 'function_arn'));
  setAttribute(attributes, 'aws.xray.retries', integerAt(view, aws, 'retries'));
  readGateway(view, placeAt(view, aws, 'api_gateway'));
}

function readQueue(view: DocumentView, url: string | undefined): void {
  if (url === undefined) return;
  view.attributes.set('aws.queue_url', url);
  view.attributes.set('aws.sqs.queue.url', url);
  view.attributes.set('messaging.system', 'aws_sqs');
  const name = url.slice(url.lastIndexOf('/') + 1);
  if (name !== '') view.attributes.set('messaging.destination.name', name);
}

function readTables(view: DocumentView, aws: Place): void {
  const table = textAt(view, aws, 'table_name');
  const tables = textsAt(view, aws, 'table_names') ?? (table === undefined ? undefined : [table]);
  if (!tables) return;
  setAttribute(view.attributes, 'aws.table_name', table);
  view.attributes.set('aws.dynamodb.table_names', tables);
  view.attributes.set('db.system.name', 'aws.dynamodb');
  setAttribute(view.attributes, 'db.collection.name', table);
}

function readTopic(view: DocumentView, arn: string | undefined): void {
  if (arn === undefined) return;
  view.attributes.set('aws.sns.topic.arn', arn);
  view.attributes.set('messaging.system', 'aws_sns');
}

/** On the segment that Lambda writes for a function, the function is the resource itself. */
function readFunction(view: DocumentView, arn: string | undefined): void {
  if (arn === undefined) return;
  view.attributes.set('aws.function_arn', arn);
  if (view.form !== 'segment' || view.document.get('origin') !== 'AWS::Lambda::Function') return;
  view.resource.set('cloud.resource_id', arn);
  setAttribute(view.resource, 'faas.name', arn.split(':')[6]);
}

function readGateway(view: DocumentView, place: Place | undefined): void {
  const { attributes } = view;
  setAttribute(attributes, 'aws.apigateway.id', textAt(view, place, 'rest_api_id'));
  setAttribute(attributes, 'aws.apigateway.stage', textAt(view, place, 'stage'));
  const requestId = textAt(view, place, 'request_id');
  if (!attributes.has('aws.request_id')) setAttribute(attributes, 'aws.request_id', requestId);
  const account = textAt(view, place, 'account_id');
  if (view.form === 'segment' && !view.resource.has('cloud.account.id'))
    setAttribute(view.resource, 'cloud.account.id', account);
}
