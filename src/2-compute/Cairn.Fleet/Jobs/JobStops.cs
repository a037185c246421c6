using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.State;

namespace Cairn.Fleet.Jobs;

/// <summary>Takes a person's wish that a job stops: durable first, then acted on. A second wish changes nothing.</summary>
internal sealed class JobStops(Store store, FleetInbox inbox)
{
    public async Task<JobView> StopAsync(JobId job, string by, int? graceSeconds, CancellationToken cancellationToken)
    {
        var view = await store.WriteAsync(
            session =>
            {
                session.Execute(
                    """
                    UPDATE jobs SET stop_asked_at = @at, stop_grace_seconds = @graceSeconds, stop_reason = @reason
                    WHERE id = @job AND ended_at IS NULL AND stop_asked_at IS NULL
                    """,
                    new { job, at = session.NowMicros, graceSeconds, reason = EndReasons.Stopped });
                return JobReading.Of(JobRows.Find(session, job)!);
            }, cancellationToken);
        inbox.Post(new FleetInput.StopAsked(job, new StopOrder(EndReasons.Stopped, $"Stopped by {by}.", graceSeconds)));
        return view;
    }
}
