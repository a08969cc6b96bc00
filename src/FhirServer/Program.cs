return await FhirServer.Hosting.EntryPoint.RunAsync(args);
