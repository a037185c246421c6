using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>The fields of <c>retries</c>, and what SkyPilot and dstack have in its place.</summary>
internal static class RetryFields
{
    private const int MaxRetries = 1000;

    public static readonly FieldTable<RetrySpec> Table = new FieldTable<RetrySpec>("retries", "retries.") { Elsewhere = AllFields.PlaceOf }
        .Field("max", (r, v) => r with { Max = v.Int(0, MaxRetries) })
        .Field("on_exit_codes", (r, v) => r with { OnExitCodes = ExitCodes(v) })
        .Field("restart", (r, v) => r with { Restart = v.OneOf<RestartPolicy>() })
        .Field("max_lost", (r, v) => r with { MaxLost = v.Int(0, MaxRetries) })
        .Field("disconnected", (r, v) => r with { Disconnected = v.OneOf<DisconnectedPolicy>() });

    public static readonly FieldTable<RetrySpec> JobRecoveryTable = new FieldTable<RetrySpec>("job_recovery", "job_recovery.")
        .NotActedOn(Spelling.SkyPilot, "strategy", "after a loss every place is planned anew")
        .Sugar(Spelling.SkyPilot, "max_restarts_on_errors", "retries.max", (r, v) => r with { Max = v.Int(0, MaxRetries) })
        .Sugar(Spelling.SkyPilot, "recover_on_exit_codes", "retries.on_exit_codes", (r, v) => r with { OnExitCodes = ExitCodes(v) });

    public static readonly FieldTable<RetrySpec> DstackTable = new FieldTable<RetrySpec>("retry", "retry.")
        .Sugar(Spelling.Dstack, "on_events", "retries.max", OnEvents)
        .NotActedOn(Spelling.Dstack, "duration", "tries are counted; write retries: {max: …} or money: {deadline: …}");

    public static RetrySpec Read(FieldValue value, RetrySpec seed)
    {
        if (value.Mapping is { } mapping)
            return Table.Read(value.Reader, mapping, seed);
        return seed with { Max = value.Int(0, MaxRetries) };
    }

    public static WorkloadSpec JobRecovery(WorkloadSpec workload, FieldValue value)
    {
        if (value.Mapping is { } mapping)
            return workload with { Retries = JobRecoveryTable.Read(value.Reader, mapping, workload.Retries) };
        value.NotActedOn("after a loss every place is planned anew, whatever the strategy");
        return workload;
    }

    public static WorkloadSpec Dstack(WorkloadSpec workload, FieldValue value)
    {
        if (value.Mapping is { } mapping)
            return workload with { Retries = DstackTable.Read(value.Reader, mapping, workload.Retries) };
        return workload with { Retries = workload.Retries with { Max = value.Bool() ? MaxRetries : 0 } };
    }

    /// <summary>Lost machines and missing capacity are always tried again, so only a failed program decides the count.</summary>
    private static RetrySpec OnEvents(RetrySpec retries, FieldValue value)
    {
        string[] known = ["no-capacity", "interruption", "error"];
        var events = value.Words("events", item => item.Word("an event"));
        foreach (var item in value.Items())
        {
            if (item.Scalar is { } word && !known.Contains(word))
                item.Expected("no-capacity, interruption or error");
        }

        return retries with { Max = events.Contains("error") ? MaxRetries : 0 };
    }

    private static IReadOnlyList<int> ExitCodes(FieldValue value)
    {
        if (value.Node is not YamlMapping)
            return [.. value.Items().Select(item => item.Int(0, 255)).Distinct()];
        value.Expected("a list of exit codes");
        return [];
    }
}
