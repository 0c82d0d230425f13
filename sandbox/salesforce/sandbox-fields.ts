import type { CustomField, CustomFieldTypes } from './field-schema.js';

const key = (length: number): CustomField => ({ type: 'string', length, externalId: true, unique: true });
const text = (length: number): CustomField => ({ type: 'string', length });

/** What an administrator of the sandbox's org has added to it for the examples and the tutorial. */
export const sandboxFields: CustomFieldTypes = {
  Account: { Wallet__c: text(42), Points__c: { type: 'double', precision: 18, scale: 2 } },
  Contact: { Wallet__c: key(42), Last_Transfer__c: text(40), Last_Transfer_Tx__c: text(66) },
  Opportunity: { Wallet__c: text(42), Mint_Tx__c: text(66), Mint_Error__c: text(255) },
  Member__c: {
    Wallet__c: key(42),
    Tier__c: text(20),
    Points__c: { type: 'double', precision: 18, scale: 4 },
    Removed__c: 'boolean',
  },
  Shop_Order__c: { Number__c: key(40), Total__c: text(40), Email__c: text(80), Tracking__c: text(40) },
  Order_Shipped__e: { Number__c: text(40), Tracking__c: text(40) },
  Receipt_Issued__e: { Number__c: text(40), Document__c: text(18) },
  Lead: { Form_Entry__c: key(40) },
  Points_Statement__c: { Wallet__c: key(42), Points__c: { type: 'double', precision: 18, scale: 2 } },
};
