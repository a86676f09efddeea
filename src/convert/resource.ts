import type { Attributes, JsonObject, JsonValue } from '../model/index.ts';
import type { DocumentView, SpanView } from './section.ts';
import { objectOf, placeAt, rootPlace, setAttribute, showText, textAt, textOf, textsOf } from './section.ts';

/**
 * `origin`, `resource_arn`, `service` and `user` (AWS X-Ray developer guide, "segment fields"): what
 * runs, where, for whom. They stand on segments; `user` may stand anywhere.
 */

export function writeOrigin(view: SpanView): Readonly<Record<string, JsonValue | undefined>> {
  const user = showText(view, 'enduser.id', 'user.id');
  if (view.form !== 'segment') return { user };
  const resource = view.span.resource.attributes;
  return {
    user,
    origin: showText(view, 'aws.xray.origin') ?? textOf(resource, 'aws.xray.origin') ?? originOf(resource),
    resource_arn: textOf(resource, 'aws.xray.resource_arn'),
    service: writeService(resource),
  };
}

/** X-Ray's word for a `cloud.platform`. */
export const origins: ReadonlyMap<string | undefined, string> = new Map([
  ['aws_app_runner', 'AWS::AppRunner::Service'],
  ['aws_eks', 'AWS::EKS::Container'],
  ['aws_elastic_beanstalk', 'AWS::ElasticBeanstalk::Environment'],
  ['aws_ec2', 'AWS::EC2::Instance'],
  ['aws_lambda', 'AWS::Lambda::Function'],
]);

export const ecsOrigins: ReadonlyMap<string | undefined, string> = new Map([
  ['ec2', 'AWS::ECS::EC2'],
  ['fargate', 'AWS::ECS::Fargate'],
]);

function originOf(resource: Attributes): string | undefined {
  const provider = textOf(resource, 'cloud.provider');
  if (provider !== undefined && provider !== 'aws') return undefined;
  const platform = textOf(resource, 'cloud.platform');
  if (platform !== 'aws_ecs') return origins.get(platform);
  return ecsOrigins.get(textOf(resource, 'aws.ecs.launchtype')?.toLowerCase()) ?? 'AWS::ECS::Container';
}

const platforms: ReadonlyMap<string | undefined, string> = new Map([
  ...[...origins].map(([platform, origin]): [string, string] => [origin, platform ?? '']),
  ['AWS::ECS::Container', 'aws_ecs'],
  ['AWS::ECS::EC2', 'aws_ecs'],
  ['AWS::ECS::Fargate', 'aws_ecs'],
  ['AWS::Lambda', 'aws_lambda'],
]);

/** Members of `service` besides the version. */
const serviceMembers = ['name', 'compiler', 'compiler_version', 'runtime', 'runtime_version'] as const;

function writeService(resource: Attributes): JsonObject | undefined {
  const members: Record<string, JsonValue | undefined> = {
    version:
      textOf(resource, 'service.version') ??
      textsOf(resource.get('container.image.tags'))?.[0] ??
      textOf(resource, 'container.image.tag'),
  };
  for (const name of serviceMembers) members[name] = textOf(resource, `aws.xray.service.${name}`);
  return objectOf(members);
}

export function readOrigin(view: DocumentView): void {
  const place = rootPlace(view);
  setAttribute(view.attributes, 'enduser.id', textAt(view, place, 'user'));
  if (view.form === 'segment') readService(view);
  if (view.form !== 'embedded') readCloud(view);
}

function readService(view: DocumentView): void {
  const { resource } = view;
  const place = rootPlace(view);
  const service = placeAt(view, place, 'service');
  setAttribute(resource, 'service.version', textAt(view, service, 'version'));
  for (const name of serviceMembers) setAttribute(resource, `aws.xray.service.${name}`, textAt(view, service, name));
  const arn = textAt(view, place, 'resource_arn');
  setAttribute(resource, 'aws.xray.resource_arn', arn);
  setAttribute(resource, 'cloud.resource_id', arn);
}

function readCloud(view: DocumentView): void {
  const { resource } = view;
  const origin = view.form === 'segment' ? textAt(view, rootPlace(view), 'origin') : undefined;
  if (view.document.has('aws') || origin?.startsWith('AWS::')) resource.set('cloud.provider', 'aws');
  setAttribute(resource, 'cloud.platform', platforms.get(origin));
}

/** Remembers an origin that the platform would not lead back to. Runs when the sections have told the resource. */
export function keepOrigin(view: DocumentView): void {
  if (view.form !== 'segment') return;
  const origin = textAt(view, rootPlace(view), 'origin');
  if (originOf(view.resource) !== origin) setAttribute(view.resource, 'aws.xray.origin', origin);
}

/**
 * `service.name`: a segment has the name of its service. A subsegment that is sent alone has the
 * name of what it called; where the caller knows no service for it, the resource says so.
 */
export function readServiceName(view: DocumentView, name: string): void {
  if (view.form === 'segment') view.resource.set('service.name', name);
  if (view.form !== 'subsegment' || view.ours) return;
  const { service } = view.style;
  view.resource.set('service.name', service ?? name);
  if (service === undefined) view.resource.set('aws.xray.service_unknown', true);
}
