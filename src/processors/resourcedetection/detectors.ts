import { readFile } from 'node:fs/promises';
import { arch, hostname, networkInterfaces, platform, release, type as osType } from 'node:os';
import type { AttributeValue } from '../../model/index.ts';

/** An attribute that a detector found, and whether it is added unless told. */
export interface Detected {
  readonly name: string;
  readonly value: AttributeValue;
  readonly isDefault: boolean;
}

export interface DetectorWorld {
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

/** Rejects, or finds nothing, where the process does not run there. */
type Detector = (world: DetectorWorld) => Promise<ReadonlyMap<string, Detected>>;

type Found = Readonly<Record<string, AttributeValue>>;

/** The attributes of the Collector's detectors, by default and on request (specification: configuration 1.11). */
export const detectors: ReadonlyMap<string, Detector> = new Map<string, Detector>([
  ['env', detectEnvironment],
  ['system', detectSystem],
  ['ec2', detectEc2],
  ['ecs', detectEcs],
  ['eks', detectEks],
  ['lambda', detectLambda],
  ['elasticbeanstalk', detectBeanstalk],
]);

export const detectorNames: readonly string[] = [...detectors.keys()];

/** Detectors of the Collector that are not here: other clouds. */
export const foreignDetectors: ReadonlySet<string> = new Set(
  'docker gcp azure aks heroku consul k8snode kubeadm openshift openstack_nova oraclecloud hetzner scaleway vultr digitalocean upcloud akamai dynatrace ibmcloud_vpc ibmcloud_classic alibaba_ecs tencent_cvm'.split(
    ' ',
  ),
);

function found(always: Found, onRequest: Found = {}): ReadonlyMap<string, Detected> {
  const entries = (values: Found, isDefault: boolean) =>
    Object.entries(values)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value]): [string, Detected] => [name, { name, value, isDefault }]);
  return new Map([...entries(always, true), ...entries(onRequest, false)]);
}

async function detectEnvironment({ env }: DetectorWorld): Promise<ReadonlyMap<string, Detected>> {
  const text = env['OTEL_RESOURCE_ATTRIBUTES'] || env['OTEL_RESOURCE'] || '';
  const pairs = text.split(',').flatMap((pair): [string, string][] => {
    const equals = pair.indexOf('=');
    return equals <= 0 ? [] : [[pair.slice(0, equals).trim(), decode(pair.slice(equals + 1).trim())]];
  });
  return found(Object.fromEntries(pairs));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const osNames: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: 'x86', arm: 'arm32' };

async function detectSystem(): Promise<ReadonlyMap<string, Detected>> {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal);
  const machineId = await readFile('/etc/machine-id', 'utf8').catch(() => '');
  return found(
    { 'host.name': hostname(), 'os.type': osNames[platform()] ?? platform() },
    {
      'host.id': machineId.trim(),
      'host.arch': architectures[arch()] ?? arch(),
      'host.ip': addresses.map(({ address }) => address),
      'host.mac': [...new Set(addresses.map(({ mac }) => mac.replaceAll(':', '-').toUpperCase()))],
      'os.description': `${osType()} ${release()}`,
      'os.name': osType(),
      'os.version': release(),
    },
  );
}

async function ask(url: string, timeoutMs: number, init: RequestInit = {}): Promise<string> {
  const answer = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return await answer.text();
}

interface Instance {
  readonly document: Readonly<Record<string, string>>;
  readonly hostname: string;
}

/** IMDSv2: a token first (EC2 User Guide, "Use the Instance Metadata Service"). */
async function askInstance({ env, timeoutMs }: DetectorWorld): Promise<Instance> {
  if (env['AWS_EC2_METADATA_DISABLED'] === 'true') throw new Error('AWS_EC2_METADATA_DISABLED is set');
  const base = env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || 'http://169.254.169.254';
  const token = await ask(`${base}/latest/api/token`, timeoutMs, {
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
  });
  const headers = { 'x-aws-ec2-metadata-token': token };
  const [document, host] = await Promise.all([
    ask(`${base}/latest/dynamic/instance-identity/document`, timeoutMs, { headers }),
    ask(`${base}/latest/meta-data/hostname`, timeoutMs, { headers }),
  ]);
  return { document: JSON.parse(document), hostname: host.trim() };
}

function instanceAttributes({ document, hostname: name }: Instance): Found {
  return {
    'cloud.account.id': document['accountId'],
    'cloud.region': document['region'],
    'cloud.availability_zone': document['availabilityZone'],
    'host.id': document['instanceId'],
    'host.image.id': document['imageId'],
    'host.name': name,
    'host.type': document['instanceType'],
  };
}

async function detectEc2(world: DetectorWorld): Promise<ReadonlyMap<string, Detected>> {
  const instance = await askInstance(world);
  return found({ 'cloud.provider': 'aws', 'cloud.platform': 'aws_ec2', ...instanceAttributes(instance) });
}

/** The parts of the task's metadata that are used (ECS developer guide, "Task metadata endpoint version 4"). */
interface Task {
  readonly Cluster?: string;
  readonly TaskARN?: string;
  readonly Family?: string;
  readonly Revision?: string;
  readonly LaunchType?: string;
  readonly AvailabilityZone?: string;
}

interface Container {
  readonly LogDriver?: string;
  readonly LogOptions?: Readonly<Record<string, string>>;
}

async function detectEcs({ env, timeoutMs }: DetectorWorld): Promise<ReadonlyMap<string, Detected>> {
  const base = env['ECS_CONTAINER_METADATA_URI_V4'] || env['ECS_CONTAINER_METADATA_URI'];
  if (!base) return new Map();
  const [task, container]: [Task, Container] = await Promise.all([
    ask(`${base}/task`, timeoutMs).then(JSON.parse),
    ask(base, timeoutMs).then(JSON.parse),
  ]);
  const [, partition = 'aws', region, account, path = ''] =
    /^arn:([^:]+):ecs:([^:]+):(\d+):task\/(.+)$/.exec(task.TaskARN ?? '') ?? [];
  const [cluster] = path.split('/');
  const isArn = task.Cluster?.startsWith('arn:');
  const options = container.LogDriver === 'awslogs' ? (container.LogOptions ?? {}) : {};
  const group = options['awslogs-group'];
  const stream = options['awslogs-stream'];
  const logRegion = options['awslogs-region'] ?? region;
  const groupArn = group && `arn:${partition}:logs:${logRegion}:${account}:log-group:${group}:*`;
  return found({
    'cloud.provider': 'aws',
    'cloud.platform': 'aws_ecs',
    'cloud.account.id': account,
    'cloud.region': region,
    'cloud.availability_zone': task.AvailabilityZone,
    'aws.ecs.cluster.arn': isArn
      ? task.Cluster
      : region && `arn:${partition}:ecs:${region}:${account}:cluster/${task.Cluster ?? cluster}`,
    'aws.ecs.task.arn': task.TaskARN,
    'aws.ecs.task.family': task.Family,
    'aws.ecs.task.id': path.split('/').at(-1),
    'aws.ecs.task.revision': task.Revision,
    'aws.ecs.launchtype': task.LaunchType?.toLowerCase(),
    'aws.log.group.names': group === undefined ? undefined : [group],
    'aws.log.group.arns': groupArn === undefined ? undefined : [groupArn],
    'aws.log.stream.names': stream === undefined ? undefined : [stream],
    'aws.log.stream.arns':
      groupArn === undefined || stream === undefined ? undefined : [groupArn.replace(/\*$/, `log-stream:${stream}`)],
  });
}

async function detectEks(world: DetectorWorld): Promise<ReadonlyMap<string, Detected>> {
  if (!world.env['KUBERNETES_SERVICE_HOST']) return new Map();
  const instance = await askInstance(world).catch(() => undefined);
  return found({ 'cloud.provider': 'aws', 'cloud.platform': 'aws_eks' }, instance ? instanceAttributes(instance) : {});
}

async function detectLambda({ env }: DetectorWorld): Promise<ReadonlyMap<string, Detected>> {
  const name = env['AWS_LAMBDA_FUNCTION_NAME'];
  if (!name) return new Map();
  const memory = Number(env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']);
  const [group, stream] = [env['AWS_LAMBDA_LOG_GROUP_NAME'], env['AWS_LAMBDA_LOG_STREAM_NAME']];
  return found({
    'cloud.provider': 'aws',
    'cloud.platform': 'aws_lambda',
    'cloud.region': env['AWS_REGION'],
    'faas.name': name,
    'faas.version': env['AWS_LAMBDA_FUNCTION_VERSION'],
    'faas.instance': stream,
    'faas.max_memory': memory > 0 ? BigInt(memory) * 1024n * 1024n : undefined,
    'aws.log.group.names': group === undefined ? undefined : [group],
    'aws.log.stream.names': stream === undefined ? undefined : [stream],
  });
}

const beanstalkFile = '/var/elasticbeanstalk/xray/environment.conf';

async function detectBeanstalk({ env }: DetectorWorld): Promise<ReadonlyMap<string, Detected>> {
  const text = await readFile(env['RAYBRIDGE_BEANSTALK_FILE'] || beanstalkFile, 'utf8');
  const { deployment_id: id, environment_name: name, version_label: label } = JSON.parse(text);
  return found({
    'cloud.provider': 'aws',
    'cloud.platform': 'aws_elastic_beanstalk',
    'deployment.environment': name,
    'service.instance.id': id === undefined ? undefined : String(id),
    'service.version': label,
  });
}
