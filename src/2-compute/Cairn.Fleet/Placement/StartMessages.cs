using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Contracts.Workloads;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Outputs;
using Cairn.Fleet.Recovery;
using Cairn.Fleet.Reports;
using Cairn.Fleet.Secrets;
using Cairn.State;
using Cairn.State.Rows;

namespace Cairn.Fleet.Placement;

/// <summary>
/// Makes the commands that start tasks. Files, secrets and checkpoints lie in rows and are read only for jobs that have them.
/// </summary>
internal sealed class StartMessages(Store store, SecretSeal seal, GangBarrier barrier, NodeSight sight, TimeProvider time)
{
    private static readonly JobParts s_none = new(null, null, []);

    public async Task<IReadOnlyList<ServerMessage>> MakeAsync(IReadOnlyList<LiveTask> tasks, CancellationToken cancellationToken)
    {
        var jobs = tasks.Select(t => t.Job).Where(j => j.HasFiles || j.HasSecrets || j.HasCheckpoint || j.PipelineId is not null).Distinct()
            .ToList();
        var parts = jobs.Count == 0
            ? []
            : await store.ReadAsync(session => jobs.ToDictionary(j => j.Id, j => Read(session, j)), cancellationToken);
        return [.. tasks.Select(t => Make(t, parts.GetValueOrDefault(t.JobId, s_none)))];
    }

    private ServerMessage Make(LiveTask task, JobParts parts)
    {
        var (job, spec) = (task.Job, task.Job.Workload);
        var start = new StartTask
        {
            TaskId = task.WireId,
            JobId = job.Id.ToString(),
            JobName = job.Name,
            Project = job.Project,
            Epoch = task.Epoch,
            Attempt = task.Attempt,
            Rank = task.Rank,
            NodeCount = job.Nodes,
            Setup = spec.Setup ?? "",
            Run = spec.Run ?? "",
            Cpus = task.TakesCpus,
            MemoryBytes = task.TakesMemoryBytes,
            DiskBytes = task.TakesDiskBytes,
            Accelerators = task.TakesAccelerators,
            StopGraceSeconds = spec.StopGraceSeconds,
            MaxDurationSeconds = LeftSeconds(job),
            Barrier = job.Nodes > 1,
            LeaseSeconds = spec.Retries.Disconnected == DisconnectedPolicy.Stop ? sight.LeaseSeconds : 0,
            Framework = spec.Framework ?? "",
            Provider = task.Provider,
            Region = task.Region,
            ServicePort = task.Rank == 0 ? ServicePort.Of(spec, task.Id) : 0,
            ServiceGrpcPort = task.Rank == 0 ? ServicePort.GrpcOf(spec, task.Id) : 0,
        };
        start.Env.Add(spec.Env.ToDictionary(e => e.Key, e => e.Value));
        start.DeviceIndexes.AddRange(task.DeviceIndexes);
        start.Outputs.AddRange(spec.Outputs.Where(o => o.Path is not null).Select(o => new OutputSpec { Name = o.Name, Path = o.Path }));
        if (job.Nodes > 1)
            start.Peers.AddRange(barrier.Peers(job));
        AddParts(start, task, parts);
        return new ServerMessage { Start = start };
    }

    private static void AddParts(StartTask start, LiveTask task, JobParts parts)
    {
        if (parts.Files is not null)
            start.Workdir = Manifests.ToWire(parts.Files);
        if (parts.Secrets is not null)
            start.Secrets.Add(parts.Secrets.ToDictionary(s => s.Key, s => s.Value));
        if (task.Job.Workload.Checkpoints is not { } checkpoints)
            return;
        start.CheckpointPath = checkpoints.Path;
        start.CheckpointIntervalSeconds = checkpoints.IntervalSeconds;
        // A rank goes on from its own checkpoint; where only rank 0 writes one, as most programs do, all go on from that.
        var kept = parts.Checkpoints.FirstOrDefault(c => c.Rank == task.Rank) ?? parts.Checkpoints.FirstOrDefault(c => c.Rank == 0);
        if (kept is not null)
            start.Checkpoint = Manifests.ToWire(kept.Manifest.Value);
    }

    private JobParts Read(ReadSession session, LiveJob job)
    {
        var files = ReadFiles(session, job);
        var parents = ParentOutputs.Of(session, job);
        return new JobParts(
            parents.Count > 0 ? ParentOutputs.Merge(files, parents) : files,
            job.HasSecrets && session.QuerySingleOrDefault<string>("SELECT sealed FROM job_secrets WHERE job_id = @Id", job) is { } text
                ? seal.Open(job.Id, text)
                : null,
            job.HasCheckpoint ? OutputRows.Of(session, job.Id, checkpoint: true) : []);
    }

    private static ApiManifest? ReadFiles(ReadSession session, LiveJob job) =>
        job.HasFiles ? session.QuerySingleOrDefault<JsonText<ApiManifest>?>("SELECT manifest FROM job_files WHERE job_id = @Id", job)?.Value
            : null;

    /// <summary>The node counts from the beginning of the task, so what earlier attempts ran is taken off.</summary>
    private long LeftSeconds(LiveJob job)
    {
        if (job.Workload.Money.MaxDurationSeconds is not { } most)
            return 0;
        var ran = job.StartedAt is { } started ? (Micros.Of(time.GetUtcNow()) - started) / 1_000_000 : 0;
        return Math.Max(1, most - ran);
    }

    private sealed record JobParts(ApiManifest? Files, IReadOnlyDictionary<string, string>? Secrets, IReadOnlyList<OutputRow> Checkpoints);
}
