using System.Diagnostics;
using System.Diagnostics.Metrics;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;

namespace Cairn.Serving.Gateway.Mirroring;

/// <summary>What becomes of copies, as metrics; by the mirroring endpoint.</summary>
internal static class MirrorInstruments
{
    public const string MeterName = "Cairn.Serving.Mirrors";

    private static readonly Meter s_meter = new(MeterName);

    private static readonly Counter<long> s_attempted = s_meter.CreateCounter<long>("cairn.gateway.mirror.attempted", "{request}", "Copies sent.");

    private static readonly Counter<long> s_ended = s_meter.CreateCounter<long>("cairn.gateway.mirror.ended", "{request}",
        "Copies ended, by outcome: answered, failed, cut_off.");

    private static readonly Counter<long> s_skipped = s_meter.CreateCounter<long>("cairn.gateway.mirror.skipped", "{request}",
        "Requests that were to be copied and were not, by reason: no_endpoint, no_replica, busy, too_large, untranslatable.");

    private static readonly Histogram<double> s_duration = s_meter.CreateHistogram<double>("cairn.gateway.mirror.duration", "s",
        "From sending a copy to the end of its answer, by outcome.");

    public static void Attempted(ProjectId project, string mirror) => s_attempted.Add(1, Tags(project, mirror));

    public static void Skipped(ProjectId project, string mirror, MirrorSkip why)
    {
        var tags = Tags(project, mirror);
        tags.Add("reason", EnumWords.Of(why));
        s_skipped.Add(1, tags);
    }

    public static void Ended(ProjectId project, string mirror, MirrorOutcome outcome, TimeSpan took)
    {
        var tags = Tags(project, mirror);
        tags.Add("outcome", EnumWords.Of(outcome));
        s_ended.Add(1, tags);
        s_duration.Record(took.TotalSeconds, tags);
    }

    private static TagList Tags(ProjectId project, string mirror) => new() { { "project", project.ToString() }, { "endpoint", mirror } };
}
