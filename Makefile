.PHONY: build test lint run bench

build:
	dotnet build Fhir.sln -c Release

test:
	dotnet test Fhir.sln

lint:
	dotnet format Fhir.sln --verify-no-changes

run:
	dotnet run --project src/FhirServer -- --demo

bench:
	dotnet build Fhir.sln -c Release
	dotnet run --project bench/Bench -c Release --no-build
