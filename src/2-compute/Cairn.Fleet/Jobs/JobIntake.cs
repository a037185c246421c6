using System.Threading.Channels;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Fleet.Leasing;
using Cairn.State;
using Cairn.State.Rows;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Jobs;

/// <summary>What became of a submission.</summary>
internal abstract record IntakeResult
{
    /// <summary>The jobs are durable, in the order of their drafts.</summary>
    public sealed record Accepted(IReadOnlyList<LiveJob> Jobs) : IntakeResult;

    /// <summary>The same request was accepted before.</summary>
    public sealed record Repeated(JobId Job) : IntakeResult;

    public sealed record Refused(Refusal Refusal) : IntakeResult;
}

/// <summary>
/// Writes accepted submissions: those that wait together share one transaction, each with its row, its event and its hold of money, or
/// nothing of it. The reconciler hears of a job after its row is durable.
/// </summary>
internal sealed partial class JobIntake(
    Store store, JobBoard board, FleetInbox inbox, IFundsHold funds, IHostApplicationLifetime host,
        ILogger<JobIntake> logger) : BackgroundService
{
    private const int MostTogether = 1_024;

    private readonly Channel<Waiting> _waiting = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(8_192) { SingleReader = true });

    /// <summary>All jobs of one submission are accepted, or none.</summary>
    public async Task<IntakeResult> SubmitAsync(IReadOnlyList<JobDraft> drafts, CancellationToken cancellationToken)
    {
        var waiting = new Waiting(drafts);
        try
        {
            await _waiting.Writer.WriteAsync(waiting, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw new StoreException(StoreFault.Closed, "The server is stopping and takes no more jobs.");
        }
        return await waiting.Done.Task;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.Yield();
            var batch = new List<Waiting>();
            while (await _waiting.Reader.WaitToReadAsync(stoppingToken))
            {
                batch.Clear();
                while (batch.Count < MostTogether && _waiting.Reader.TryRead(out var waiting))
                    batch.Add(waiting);
                await WriteAsync(batch);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; whoever waits is told below.
        }
        catch (Exception error)
        {
            LogDeath(logger, error);
            Environment.ExitCode = 1;
            host.StopApplication();
        }
        finally
        {
            _waiting.Writer.TryComplete();
            while (_waiting.Reader.TryRead(out var waiting))
                waiting.Done.TrySetException(new StoreException(StoreFault.Closed, "The server is stopping."));
        }
    }

    private async Task WriteAsync(List<Waiting> batch)
    {
        try
        {
            var results = await store.WriteAsync(session => batch.ConvertAll(w => Accept(session, w.Drafts)), CancellationToken.None);
            for (var i = 0; i < batch.Count; i++)
            {
                if (results[i] is IntakeResult.Accepted accepted)
                {
                    JobInstruments.Submitted(accepted.Jobs.Count);
                    foreach (var job in accepted.Jobs)
                        inbox.Post(new FleetInput.JobArrived(job));
                }
                batch[i].Done.TrySetResult(results[i]);
            }
        }
        catch (StoreException error)
        {
            foreach (var waiting in batch)
                waiting.Done.TrySetException(error);
        }
    }

    private IntakeResult Accept(WriteSession session, IReadOnlyList<JobDraft> drafts)
    {
        for (var i = 0; i < drafts.Count; i++)
        {
            if (AcceptOne(session, drafts[i]) is not { } refused)
                continue;
            // One of several is refused: those before it go again.
            for (var j = 0; j <= i; j++)
                Undo(session, drafts[j].Job.Id);
            return refused;
        }
        return new IntakeResult.Accepted([.. drafts.Select(d => d.Job)]);
    }

    /// <summary>Null once the job's rows are written.</summary>
    private IntakeResult? AcceptOne(WriteSession session, JobDraft draft)
    {
        var job = draft.Job;
        job.Name = draft.NameIsWished || !board.IsNameTaken(job.ProjectId, job.WishedName) ? job.WishedName
            : JobName.WithSuffix(job.WishedName, job.Id);
        if (!JobRows.TryInsert(session, job))
        {
            if (FindRepeated(session, job) is { } repeated)
                return repeated;
            if (draft.NameIsWished)
                return new IntakeResult.Refused(
                    Refusal.Of(ProblemCodes.NameTaken,
                    $"A job named '{job.WishedName}' is under way in project '{job.Project}'; choose another name or stop it."));
            if (!TryInsert(session, job, isLong: false) && !TryInsert(session, job, isLong: true))
                return new IntakeResult.Refused(
                    Refusal.Of(ProblemCodes.NameTaken, $"The name '{job.WishedName}' is taken; choose another."));
        }
        if (draft.Hold.Micros > 0 && funds.Hold(session, job.Id, job.ProjectId, draft.Hold) is { } problem)
            return new IntakeResult.Refused(new Refusal(problem, []));
        JobRows.Insert(session,
            [new JobEvent(job.Id, 1, job.SubmittedAt, "queued", job.Message ?? "Accepted; waits for room.", job.Phase)]);
        if (draft.Files is not null)
            session.Execute("INSERT INTO job_files (job_id, manifest) VALUES (@Id, @Files)",
                new { job.Id, Files = new JsonText<Contracts.Api.ApiManifest>(draft.Files) });
        if (draft.SealedSecrets is not null)
            session.Execute("INSERT INTO job_secrets (job_id, sealed) VALUES (@Id, @SealedSecrets)", new { job.Id, draft.SealedSecrets });
        return null;
    }

    private static bool TryInsert(WriteSession session, LiveJob job, bool isLong)
    {
        job.Name = JobName.WithSuffix(job.WishedName, job.Id, isLong);
        return JobRows.TryInsert(session, job);
    }

    private static IntakeResult? FindRepeated(WriteSession session, LiveJob job)
    {
        if (job.IdempotencyKey is null)
            return null;
        var rows = session.Query<(JobId Id, string? Hash)>(
            "SELECT id, request_hash FROM jobs WHERE project_id = @ProjectId AND idempotency_key = @IdempotencyKey", job);
        if (rows.Count == 0)
            return null;
        return rows[0].Hash == job.RequestHash
            ? new IntakeResult.Repeated(rows[0].Id)
            : new IntakeResult.Refused(Refusal.Of(
                ProblemCodes.IdempotencyMismatch, "This Idempotency-Key was used for another request; use a new key for a new request."));
    }

    private void Undo(WriteSession session, JobId id)
    {
        foreach (var table in (string[])["job_events", "job_files", "job_secrets"])
            session.Execute($"DELETE FROM {table} WHERE job_id = @id", new { id });
        if (session.Execute("DELETE FROM jobs WHERE id = @id", new { id }) > 0)
            funds.Close(session, [id]);
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The intake of jobs died of a defect; the server stops")]
    private static partial void LogDeath(ILogger logger, Exception error);

    private sealed record Waiting(IReadOnlyList<JobDraft> Drafts)
    {
        public TaskCompletionSource<IntakeResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
