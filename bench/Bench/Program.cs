using Bench;

// Two programs in one: the bare endpoint is a child process of the benchmark, pinned like the server it is compared with.
if (args is ["bare", var port])
{
    await BareEndpoint.RunAsync(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
    return 0;
}
try
{
    var settings = BenchSettings.Parse(args);
    return settings.Kafka is not null ? await RelayRun.RunAsync(settings)
        : settings.Scale ? await ScaleRun.RunAsync(settings)
        : settings.Only.Contains(RemindersRun.Name) ? await RemindersRun.RunAsync(settings)
        : await BenchRun.RunAsync(settings);
}
catch (BenchException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
