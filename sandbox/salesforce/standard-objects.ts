import type { FieldSpec } from './field-schema.js';

export interface ObjectDefinition {
  readonly prefix: string;
  readonly fields: Readonly<Record<string, FieldSpec>>;
  /** Fields that are read and streamed as one, by the name of the part. */
  readonly compounds?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly readOnly?: readonly string[];
  /** Whether a push topic may watch it. */
  readonly isStreamable?: boolean;
}

export const systemFields: Readonly<Record<string, FieldSpec>> = {
  Id: 'id',
  IsDeleted: 'boolean',
  OwnerId: 'reference',
  CreatedDate: 'datetime',
  CreatedById: 'reference',
  LastModifiedDate: 'datetime',
  LastModifiedById: 'reference',
  SystemModstamp: 'datetime',
};

const address = (prefix: string): Record<string, FieldSpec> => ({
  [`${prefix}Street`]: 'textarea:255',
  [`${prefix}City`]: 'string:40',
  [`${prefix}State`]: 'string:80',
  [`${prefix}PostalCode`]: 'string:20',
  [`${prefix}Country`]: 'string:80',
});
const addressParts = (prefix: string) =>
  Object.fromEntries(['Street', 'City', 'State', 'PostalCode', 'Country'].map((part) => [part, `${prefix}${part}`]));

const personName = { Name: { FirstName: 'FirstName', LastName: 'LastName' } };

/** The objects every org has, as far as somebody who joins an org to a chain meets them. */
export const standardObjects: Readonly<Record<string, ObjectDefinition>> = {
  Account: {
    prefix: '001',
    fields: {
      Name: 'string!',
      AccountNumber: 'string:40',
      Type: 'picklist',
      Industry: 'picklist',
      Phone: 'phone:40',
      Website: 'url',
      ...address('Billing'),
      AnnualRevenue: 'currency',
      NumberOfEmployees: 'int',
      Description: 'textarea:32000',
      ParentId: 'reference',
    },
    compounds: { BillingAddress: addressParts('Billing') },
    isStreamable: true,
  },
  Contact: {
    prefix: '003',
    fields: {
      Name: 'string:121',
      FirstName: 'string:40',
      LastName: 'string:80!',
      Email: 'email:80',
      Phone: 'phone:40',
      MobilePhone: 'phone:40',
      Title: 'string:128',
      Department: 'string:80',
      Birthdate: 'date',
      ...address('Mailing'),
      LeadSource: 'picklist',
      Description: 'textarea:32000',
      AccountId: 'reference',
    },
    compounds: { ...personName, MailingAddress: addressParts('Mailing') },
    readOnly: ['Name'],
    isStreamable: true,
  },
  Lead: {
    prefix: '00Q',
    fields: {
      Name: 'string:121',
      FirstName: 'string:40',
      LastName: 'string:80!',
      Company: 'string!',
      Email: 'email:80',
      Phone: 'phone:40',
      Status: 'picklist',
      ...address(''),
    },
    compounds: { ...personName, Address: addressParts('') },
    readOnly: ['Name'],
    isStreamable: true,
  },
  Opportunity: {
    prefix: '006',
    fields: {
      Name: 'string:120!',
      StageName: 'picklist!',
      CloseDate: 'date!',
      Amount: 'currency',
      Probability: 'percent',
      Type: 'picklist',
      LeadSource: 'picklist',
      NextStep: 'string',
      Description: 'textarea:32000',
      AccountId: 'reference',
      ContactId: 'reference',
    },
    isStreamable: true,
  },
  Case: {
    prefix: '500',
    fields: { Subject: 'string', Status: 'picklist', Origin: 'picklist', Priority: 'picklist', ContactId: 'reference' },
    isStreamable: true,
  },
  Task: {
    prefix: '00T',
    fields: { Subject: 'string', Status: 'picklist', ActivityDate: 'date', WhoId: 'reference', WhatId: 'reference' },
    isStreamable: true,
  },
  Product2: { prefix: '01t', fields: { Name: 'string!', ProductCode: 'string', IsActive: 'boolean' } },
  User: {
    prefix: '005',
    fields: { Username: 'string:80!', LastName: 'string:80!', Email: 'email:80!', IsActive: 'boolean' },
  },
  ContentVersion: {
    prefix: '068',
    fields: {
      Title: 'string',
      PathOnClient: 'string:500',
      VersionData: 'base64',
      ContentDocumentId: 'reference',
      FirstPublishLocationId: 'reference',
      ContentSize: 'int',
      Checksum: 'string:50',
      Description: 'textarea:1000',
    },
    readOnly: ['ContentSize'],
  },
  ContentDocument: { prefix: '069', fields: { Title: 'string!', LatestPublishedVersionId: 'reference' } },
  ContentDocumentLink: {
    prefix: '06A',
    fields: { ContentDocumentId: 'reference!', LinkedEntityId: 'reference!', ShareType: 'picklist' },
  },
  PushTopic: {
    prefix: '0IF',
    fields: {
      Name: 'string:25!',
      Query: 'string:1300!',
      ApiVersion: 'double!',
      IsActive: 'boolean',
      Description: 'string:400',
      NotifyForFields: 'picklist',
      NotifyForOperations: 'picklist',
      NotifyForOperationCreate: 'boolean',
      NotifyForOperationUpdate: 'boolean',
      NotifyForOperationDelete: 'boolean',
      NotifyForOperationUndelete: 'boolean',
    },
    readOnly: ['NotifyForOperations'],
  },
};
