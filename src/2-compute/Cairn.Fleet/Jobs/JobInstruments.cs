using System.Diagnostics.Metrics;
using Cairn.Contracts.Api;

namespace Cairn.Fleet.Jobs;

/// <summary>What jobs tell of themselves as metrics.</summary>
internal static class JobInstruments
{
    private static readonly Meter s_meter = new("Cairn.Fleet.Jobs");

    private static readonly Counter<long> s_submitted = s_meter.CreateCounter<long>("cairn.jobs.submitted", "{job}", "Jobs accepted.");

    private static readonly Counter<long> s_ended = s_meter.CreateCounter<long>("cairn.jobs.ended", "{job}", "Jobs ended, by phase.");

    private static readonly Counter<long> s_started = s_meter.CreateCounter<long>("cairn.tasks.placed", "{task}", "Tasks given a lease.");

    private static readonly Histogram<double> s_turn = s_meter.CreateHistogram<double>("cairn.fleet.turn.duration", "s",
        "From the inputs of a turn to its commit.");

    private static readonly Histogram<long> s_inputs = s_meter.CreateHistogram<long>("cairn.fleet.turn.inputs", "{input}",
        "Inputs taken in one turn.");

    public static void Submitted(int jobs) => s_submitted.Add(jobs);

    /// <summary>A turn is durable.</summary>
    public static void Turned(Turn turn, int inputs, TimeSpan took)
    {
        s_turn.Record(took.TotalSeconds);
        s_inputs.Record(inputs);
        if (turn.Starts.Count > 0)
            s_started.Add(turn.Starts.Count);
        foreach (var job in turn.ChangedJobs)
        {
            if (job.HasEnded)
                s_ended.Add(1, KeyValuePair.Create("phase", (object?)EnumWords.Of(job.Phase)));
        }
    }
}
