namespace FhirStore.Model;

/// <summary>
/// The names R4 gives to its types. Spelled out because asking the SDK for them (<c>ModelInfo</c>) costs half a second at start;
/// a test holds them against the SDK.
/// </summary>
internal static class R4Names
{
    /// <summary>https://hl7.org/fhir/R4/resourcelist.html, less the two abstract ones, ordinal order.</summary>
    public static readonly string[] Resources =
        ("Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic Binary " +
        "BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem " +
        "ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest " +
        "CompartmentDefinition Composition ConceptMap Condition Consent Contract Coverage CoverageEligibilityRequest " +
        "CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement " +
        "DiagnosticReport DocumentManifest DocumentReference EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest " +
        "EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable ExampleScenario ExplanationOfBenefit " +
        "FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse HealthcareService ImagingStudy Immunization " +
        "ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library Linkage List " +
        "Location Measure MeasureReport Media Medication MedicationAdministration MedicationDispense MedicationKnowledge " +
        "MedicationRequest MedicationStatement MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication " +
        "MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured " +
        "MedicinalProductPackaged MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition " +
        "MessageHeader MolecularSequence NamingSystem NutritionOrder Observation ObservationDefinition OperationDefinition " +
        "OperationOutcome Organization OrganizationAffiliation Parameters Patient PaymentNotice PaymentReconciliation Person " +
        "PlanDefinition Practitioner PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson " +
        "RequestGroup ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment " +
        "RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen SpecimenDefinition StructureDefinition " +
        "StructureMap Subscription Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein " +
        "SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification SupplyDelivery SupplyRequest Task " +
        "TerminologyCapabilities TestReport TestScript ValueSet VerificationResult VisionPrescription").Split(' ');

    /// <summary>Types of an open <c>value[x]</c>, https://hl7.org/fhir/R4/datatypes.html#open.</summary>
    public static readonly string[] OpenTypes =
        ("base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt string time " +
        "unsignedInt uri url uuid Address Age Annotation Attachment CodeableConcept Coding ContactPoint Count Distance Duration " +
        "HumanName Identifier Money Period Quantity Range Ratio Reference SampledData Signature Timing ContactDetail Contributor " +
        "DataRequirement Expression ParameterDefinition RelatedArtifact TriggerDefinition UsageContext Dosage Meta").Split(' ');

    /// <summary>Data types that an open choice does not take, and the abstract types.</summary>
    public static readonly string[] OtherTypes =
        ("xhtml Extension Narrative ElementDefinition MarketingStatus Population ProdCharacteristic ProductShelfLife " +
        "SubstanceAmount Element BackboneElement Resource DomainResource").Split(' ');
}
