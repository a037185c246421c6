using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.State;

namespace Cairn.Fleet.Jobs;

/// <summary>What the layers above may read of a job.</summary>
public sealed class JobRecords
{
    private readonly Store _store;

    internal JobRecords(Store store) => _store = store;

    /// <summary>
    /// The job by id, or the newest of the name in the caller's project, with attempts and workload; null where the caller sees none.
    /// </summary>
    public Task<JobView?> FindAsync(string job, Caller caller, CancellationToken cancellationToken) =>
        _store.ReadAsync(session =>
            JobFinder.FindId(session, job, caller) is { } id ? JobReading.Whole(session, id) : null, cancellationToken);
}
