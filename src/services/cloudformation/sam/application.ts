import { isObject, isText, type JsonObject } from '../domain/json.ts';
import { ResourceProblem } from './errors.ts';
import { attributesOf, isTruthy, type Made, made, present, tagList } from './values.ts';

/** `AWS::Serverless::Application`: a nested stack. The Serverless Application Repository is not part of Croft: only templates of one's own can be named. */
export function transformApplication(logicalId: string, resource: JsonObject): Made[] {
  const properties = isObject(resource['Properties']) ? resource['Properties'] : {};
  const location = properties['Location'];
  if (isObject(location)) {
    for (const name of ['ApplicationId', 'SemanticVersion']) {
      const value = location[name];
      if (value === undefined || value === null) throw new ResourceProblem(logicalId, `Property '${name}' is required.`);
      if (value === '') throw new ResourceProblem(logicalId, `Property '${name}' cannot be blank.`);
    }
    throw new ResourceProblem(logicalId, 'Croft does not support applications of the Serverless Application Repository');
  }
  if (!isText(location) || location === '') throw new ResourceProblem(logicalId, "Missing required property 'Location'.");
  return [
    made(
      logicalId,
      'AWS::CloudFormation::Stack',
      {
        TemplateURL: location,
        Parameters: properties['Parameters'],
        NotificationARNs: properties['NotificationARNs'],
        Tags: tagList(isTruthy(properties['Tags']) ? properties['Tags'] : undefined),
        TimeoutInMinutes: properties['TimeoutInMinutes'],
      },
      { ...attributesOf(resource), ...present({ DependsOn: resource['DependsOn'] }) },
    ),
  ];
}
