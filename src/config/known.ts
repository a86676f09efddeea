/**
 * Components that exist elsewhere: for messages about a type that Raybridge does not have
 * (specification: configuration 0.4 and 0.5).
 */
import type { ComponentKind } from './declare.ts';

/** What Raybridge does about a component that it knows by name only. */
export type Treatment =
  /** Passed by, with a line of info: its work is done elsewhere, or is only about observing the process. */
  | 'idle'
  /** Left out of the pipeline with a warning: it would only have added something. */
  | 'left out'
  /** Refused with a reason: leaving it out could leak, lose or falsify data. */
  | 'refused';

export interface KnownType {
  readonly treatment: Treatment;
  /** Completes the sentence "PROCESSOR "x" …". */
  readonly reason: string;
}

/** Undefined when nobody knows such a type. */
export function knownType(kind: ComponentKind, type: string): KnownType | undefined {
  if (!namesOf(kind).has(type)) return undefined;
  return treatments.get(`${kind} ${type}`) ?? { treatment: 'refused', reason: 'is not implemented in this version' };
}

export function knownTypes(kind: ComponentKind): ReadonlySet<string> {
  return namesOf(kind);
}

function namesOf(kind: ComponentKind): ReadonlySet<string> {
  return names.get(kind) ?? new Set();
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

const names: ReadonlyMap<ComponentKind, ReadonlySet<string>> = new Map([
  [
    'receiver',
    words(`otlp awsxray aws_xray nop zipkin jaeger awsecscontainermetrics awscontainerinsightreceiver
      awscontainerinsightskueuereceiver awscloudwatch awsfirehose awslambda aws_lambda awss3 statsd prometheus kafka
      kafkametrics filelog file_log hostmetrics k8s_cluster k8s_events kubeletstats docker_stats fluentforward syslog
      tcplog udplog journald opencensus carbon collectd redis mysql postgresql httpcheck datadog skywalking splunk_hec
      windowseventlog jmx tcpcheck otelarrow`),
  ],
  [
    'processor',
    words(`batch memory_limiter resourcedetection resource_detection resource attributes probabilistic_sampler
      tail_sampling groupbytrace group_by_trace filter span transform k8sattributes k8s_attributes metricstransform
      metrics_transform metricsgeneration cumulativetodelta deltatorate deltatocumulative groupbyattrs redaction routing
      schema remotetap interval logdedup sumologic awsapplicationsignals gpuattributes ec2tagger decouple geoip
      isolationforest`),
  ],
  [
    'exporter',
    words(`awsxray aws_xray otlp otlp_grpc otlphttp otlp_http debug logging nop file loadbalancing load_balancing awsemf
      awscloudwatch awscloudwatchlogs awskinesis awss3 prometheus prometheusremotewrite prometheus_remote_write kafka
      datadog signalfx sapm logzio dynatrace newrelic splunk_hec zipkin jaeger opencensus elasticsearch opensearch
      clickhouse googlecloud azuremonitor loki tanzuobservability honeycombmarker coralogix sentry syslog pulsar`),
  ],
  [
    'extension',
    words(`health_check healthcheck healthcheckv2 health_check_v2 awsproxy aws_proxy sigv4auth sigv4_auth file_storage
      pprof zpages basicauth basic_auth bearertokenauth bearer_token_auth headers_setter oauth2client oidc ecs_observer
      k8s_observer docker_observer host_observer opamp memory_ballast awsmiddleware agenthealth entitystore k8smetadata
      server jaeger_storage jaeger_query remote_sampling`),
  ],
  [
    'connector',
    words(`forward spanmetrics span_metrics servicegraph service_graph nop count exceptions routing failover roundrobin
      datadog grafanacloud sum`),
  ],
]);

const idle = (reason: string): KnownType => ({ treatment: 'idle', reason });
const leftOut = (reason: string): KnownType => ({ treatment: 'left out', reason });
const refused = (reason: string): KnownType => ({ treatment: 'refused', reason });

const observesOnly = idle('has no effect; it only observes the Collector itself');
const enriches = leftOut('is not implemented in this version; spans pass without what it would have added');
const changes = refused(
  'is not implemented in this version; refused because spans that it should change or drop would pass unchanged',
);

const treatments: ReadonlyMap<string, KnownType> = new Map([
  ...['k8sattributes', 'k8s_attributes', 'geoip'].map((type): [string, KnownType] => [`processor ${type}`, enriches]),
  ...['transform', 'redaction', 'schema', 'sumologic', 'isolationforest', 'span'].map((type): [string, KnownType] => [
    `processor ${type}`,
    changes,
  ]),
  ['processor decouple', idle('has no effect; it is for Lambda functions')],
  ...['agenthealth', 'entitystore', 'awsmiddleware', 'k8smetadata'].map((type): [string, KnownType] => [
    `extension ${type}`,
    observesOnly,
  ]),
  ...['pprof', 'zpages', 'opamp', 'ecs_observer', 'k8s_observer', 'memory_ballast'].map((type): [string, KnownType] => [
    `extension ${type}`,
    observesOnly,
  ]),
]);
