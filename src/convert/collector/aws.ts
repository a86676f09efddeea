import type { AttributeValue, Attributes, JsonObject, JsonValue } from '../../model/index.ts';
import type { MemberTable } from '../aws.ts';
import { ec2Members, ecsMembers, eksMembers } from '../aws.ts';
import { ecsOrigins, origins } from '../resource.ts';
import { objectOf } from '../section.ts';
import { isList } from '../values.ts';
import type { CollectorView } from './view.ts';
import { textIn } from './view.ts';

/** `origin`, `service` and `aws`, by the rules of the Collector's exporter (segment.go, service.go, aws.go). */

export function writeOrigin(resource: Attributes): string | undefined {
  if (resource.has('cloud.provider') && resource.get('cloud.provider') !== 'aws') return undefined;
  const platform = textIn(resource, 'cloud.platform');
  if (platform === 'aws_ecs') return ecsOrigins.get(textIn(resource, 'aws.ecs.launchtype')) ?? 'AWS::ECS::Container';
  // The exporter does not know Lambda.
  return platform === 'aws_lambda' ? undefined : origins.get(platform);
}

export function writeService(resource: Attributes): JsonObject | undefined {
  return objectOf({ version: textIn(resource, 'service.version') || textIn(resource, 'container.image.tag') });
}

/** Members by the span attributes that are taken for them; of two for one the later wins. */
const callMembers: ReadonlyMap<string, string> = new Map([
  ['aws.account_id', 'account_id'],
  ['aws.region', 'region'],
  ['aws.request_id', 'request_id'],
  ['aws.requestId', 'request_id'],
  ['aws.queue_url', 'queue_url'],
  ['aws.queue.url', 'queue_url'],
  ['aws.table_name', 'table_name'],
  ['aws.table.name', 'table_name'],
]);

/** Absent in other clouds, whose spans lose the attributes all the same. */
export function writeAws(view: CollectorView): JsonObject | undefined {
  const { span, rest } = view;
  const resource = span.resource.attributes;
  const call = takeCall(rest);
  const provider = textIn(resource, 'cloud.provider');
  if (provider !== '' && provider !== 'aws') return undefined;
  return objectOf({
    ...writeSurroundings(resource),
    account_id: call.get('account_id') ?? textIn(resource, 'cloud.account.id'),
    operation: call.get('operation'),
    region: call.get('region'),
    request_id: call.get('request_id'),
    queue_url: rest.has('messaging.url') ? textIn(rest, 'messaging.url') : call.get('queue_url'),
    ...writeTables(rest.get('aws.dynamodb.table_names'), call.get('table_name')),
  });
}

/** The method of any remote procedure is taken for an operation, not only that of an AWS service. */
function takeCall(rest: Map<string, AttributeValue>): ReadonlyMap<string, string> {
  const call = new Map<string, string>();
  const operation = ['aws.operation', 'rpc.method'].find((key) => rest.has(key));
  if (operation !== undefined) call.set('operation', textIn(rest, operation));
  for (const [key, value] of rest) {
    const member = callMembers.get(key);
    if (member !== undefined && (value !== undefined || member !== 'account_id')) call.set(member, textIn(rest, key));
  }
  for (const key of ['aws.operation', 'rpc.method', ...callMembers.keys()]) rest.delete(key);
  return call;
}

const callMemberNames: ReadonlySet<string> = new Set([...callMembers.values(), 'operation', 'table_names']);

/** What is left of `aws` on the segment of the service that makes the call: not even its account. */
export function withoutCall(aws: JsonObject): JsonObject {
  return new Map([...aws].filter(([name]) => !callMemberNames.has(name)));
}

/** The attribute stays for the metadata. */
function writeTables(names: AttributeValue, name: string | undefined): Readonly<Record<string, JsonValue | undefined>> {
  if (typeof names === 'string') return { table_name: names };
  const tables = isList(names) ? names.map((table) => (typeof table === 'string' ? table : '')) : [];
  return tables.length > 1 ? { table_names: tables } : { table_name: tables[0] ?? name };
}

function writeSurroundings(resource: Attributes): Readonly<Record<string, JsonValue | undefined>> {
  const platform = textIn(resource, 'cloud.platform');
  const isEc2 = platform === 'aws_ec2' || textIn(resource, 'host.id') !== '';
  const isEks = platform === 'aws_eks' || textIn(resource, 'k8s.cluster.name') !== '';
  return {
    elastic_beanstalk: platform === 'aws_elastic_beanstalk' ? writeBeanstalk(resource) : undefined,
    cloudwatch_logs: writeLogGroups(resource),
    ecs: platform === 'aws_ecs' ? objectOf(Object.fromEntries(textsOf(resource, ecsMembers))) : undefined,
    ec2: isEc2 ? nullable(textsOf(resource, ec2Members)) : undefined,
    eks: isEks ? nullable(textsOf(resource, eksMembers)) : undefined,
    xray: writeSdk(resource),
  };
}

function textsOf(resource: Attributes, table: MemberTable): readonly (readonly [string, string])[] {
  return table.map(([member, attribute]) => [member, textIn(resource, attribute)]);
}

/** All members, `null` where there is no text. */
function nullable(members: readonly (readonly [string, JsonValue])[]): JsonObject {
  return new Map(members.map(([name, value]) => [name, value === '' ? null : value]));
}

function writeBeanstalk(resource: Attributes): JsonObject | undefined {
  const deployment = textIn(resource, 'service.instance.id');
  if (deployment === '') return undefined;
  return nullable([
    ['environment_name', textIn(resource, 'service.namespace')],
    ['version_label', textIn(resource, 'service.version')],
    ['deployment_id', { literal: String(int64Of(deployment)) }],
  ]);
}

/** 0 for a text that is no int64 in decimal. */
function int64Of(text: string): bigint {
  if (!/^[+-]?\d{1,30}$/.test(text)) return 0n;
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? value : 0n;
}

function writeLogGroups(resource: Attributes): readonly JsonValue[] | undefined {
  const arns = logGroups(resource.get('aws.log.group.arns'));
  if (arns.length > 0) return arns.map((arn) => logGroup(arn.split(':')[6] ?? arn, arn));
  const names = logGroups(resource.get('aws.log.group.names'));
  return names.length > 0 ? names.map((name) => logGroup(name, '')) : undefined;
}

/** A list, in which what is no string counts as the empty one, or one text with `&` between the groups. */
function logGroups(value: AttributeValue): readonly string[] {
  if (typeof value === 'string') return value.split('&').filter((group) => group !== '');
  return isList(value) ? value.map((group) => (typeof group === 'string' ? group : '')) : [];
}

function logGroup(name: string, arn: string): JsonObject {
  const group = nullable([['log_group', name]]);
  return arn === '' ? group : new Map([...group, ['arn', arn]]);
}

/** Always written, also when it says no more than that nothing is automatic. */
function writeSdk(resource: Attributes): JsonObject | undefined {
  const name = textIn(resource, 'telemetry.sdk.name');
  const language = textIn(resource, 'telemetry.sdk.language');
  return objectOf({
    sdk: name !== '' && language !== '' ? `${name} for ${language}` : name,
    sdk_version: textIn(resource, 'telemetry.sdk.version'),
    auto_instrumentation:
      textIn(resource, 'telemetry.auto.version') !== '' || textIn(resource, 'telemetry.distro.version') !== '',
  });
}
