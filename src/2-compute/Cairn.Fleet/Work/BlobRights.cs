using System.Collections.Concurrent;
using System.Collections.Frozen;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Outputs;
using Cairn.State;
using Cairn.State.Rows;

namespace Cairn.Fleet.Work;

/// <summary>
/// Which blobs a job's nodes may read: its working directory, its checkpoints, and what its parents left. Remembered for the jobs asked for
/// last.
/// </summary>
internal sealed class BlobRights(Store store)
{
    private const int Most = 256;

    private readonly ConcurrentDictionary<JobId, FrozenSet<string>> _byJob = new();

    public async ValueTask<bool> MayReadAsync(LiveJob job, string hash, CancellationToken cancellationToken)
    {
        if (_byJob.TryGetValue(job.Id, out var known) && known.Contains(hash))
            return true;
        // A checkpoint may have come since.
        var hashes = await store.ReadAsync(session => Read(session, job), cancellationToken);
        if (_byJob.Count >= Most)
            _byJob.Clear();
        _byJob[job.Id] = hashes;
        return hashes.Contains(hash);
    }

    private static FrozenSet<string> Read(ReadSession session, LiveJob job)
    {
        var manifests = OutputRows.Of(session, job.Id, checkpoint: true).Select(o => o.Manifest.Value).ToList();
        if (session.QuerySingleOrDefault<JsonText<ApiManifest>?>("SELECT manifest FROM job_files WHERE job_id = @Id", job) is { } files)
            manifests.Add(files.Value);
        if (job.PipelineId is not null)
            manifests.AddRange(ParentOutputs.Of(session, job).Select(o => o.Output.Manifest.Value));
        return manifests.SelectMany(m => m.Files).Select(f => f.Hash).ToFrozenSet(StringComparer.Ordinal);
    }
}
