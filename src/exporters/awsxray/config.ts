import { z } from 'zod';
import { noEffect, retryOnFailure, sendingQueue, warned } from '../../config/schema.ts';

const notTheCollectors =
  "is not a setting of the Collector's awsxray exporter; the queue of this process retries for ever";

/** As the Collector's exporter, and the fork of it in the CloudWatch agent, spell them (specification: configuration 1.12). */
export const configSchema = z.strictObject({
  region: z.string().default(''),
  /** Base URL instead of `https://xray.REGION.amazonaws.com`. */
  endpoint: z.string().default(''),
  /** Calls at the same time. */
  num_workers: z.int().min(1).default(8),
  request_timeout_seconds: z.number().positive().default(30),
  max_retries: noEffect(z.int().optional(), 'has no effect; the queue of this process retries for ever'),
  no_verify_ssl: z.boolean().default(false),
  proxy_address: z.string().default(''),
  /** Never asks the instance for its region. */
  local_mode: z.boolean().default(false),
  /** Of this process, for telemetry records. */
  resource_arn: z.string().default(''),
  role_arn: z.string().default(''),
  external_id: z.string().default(''),
  indexed_attributes: z.array(z.string()).default([]),
  index_all_attributes: z.boolean().default(false),
  aws_log_groups: z.array(z.string()).default([]),
  telemetry: z
    .strictObject({
      enabled: z.boolean().default(false),
      include_metadata: z.boolean().default(false),
      contributors: noEffect(z.array(z.string()).optional()),
      hostname: z.string().default(''),
      instance_id: z.string().default(''),
      resource_arn: z.string().default(''),
    })
    .prefault({}),
  certificate_file_path: z.string().default(''),
  imds_retries: z.int().min(0).optional(),
  profile: z.string().default(''),
  shared_credentials_file: z.array(z.string()).default([]),
  middleware: noEffect(z.unknown().optional()),
  transit_spans_in_otlp_format: noEffect(
    z.boolean().optional(),
    'has no effect; spans go as segment documents, which keep all of them',
  ),
  sending_queue: warned(sendingQueue.optional(), notTheCollectors),
  retry_on_failure: warned(retryOnFailure.optional(), notTheCollectors),
});

export type AwsxrayConfig = z.output<typeof configSchema>;
