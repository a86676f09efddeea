/**
 * The ARN of something that this X-Ray keeps, such as `sampling-rule/checkout`. A self-hosted X-Ray
 * has neither region nor account; these stand where AWS's ARNs have them.
 */
export function xrayArn(resource: string): string {
  return `arn:aws:xray:local:000000000000:${resource}`;
}
