using System.Security.Cryptography;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Workloads;
using Cairn.Fleet.Placement;
using Cairn.Fleet.Secrets;
using Cairn.State;
using Cairn.State.Rows;

namespace Cairn.Fleet.Jobs;

/// <summary>
/// From a request to durable jobs: (1) the request is checked, (2) the workload is read, (3) it is planned over the enrolled nodes,
/// (4) what may run is written. Equal workloads are read and planned once.
/// </summary>
internal sealed class JobSubmission(WorkloadCache workloads, PlacePlans plans, JobIntake intake, SecretSeal seal, IBlobs blobs,
    TimeProvider time)
{
    public async Task<IntakeResult> SubmitAsync(SubmitJobRequest request, Caller caller, string? idempotencyKey,
        CancellationToken cancellationToken)
    {
        // (1)
        if (JobAdmission.Check(request, idempotencyKey, caller.ProjectName) is { } refusal)
            return new IntakeResult.Refused(refusal);

        // (2)
        var parsed = workloads.Parse(request.Workload, request.FileName ?? "workload.yaml");
        if (parsed.Result.File is not { } file)
        {
            var errors = parsed.Result.Errors.Select(e => e.ToString()).ToList();
            return new IntakeResult.Refused(Refusal.Of(
                ProblemCodes.InvalidWorkload, errors.Count == 1 ? errors[0] : $"The workload has {errors.Count} errors.", errors));
        }
        if (file.Steps.FirstOrDefault(s => s.Workload.Project is { } project && project != caller.ProjectName) is { } other)
        {
            return new IntakeResult.Refused(Refusal.Of(
                ProblemCodes.InvalidRequest,
                    $"The workload belongs to project '{other.Workload.Project}'; send it as ?project={other.Workload.Project}."));
        }
        if (await MissingBlobsAsync(request, cancellationToken) is { } missing)
            return new IntakeResult.Refused(missing);

        // (3)
        var drafts = new List<JobDraft>(file.Steps.Count);
        var frame = new SubmissionFrame(request, caller, idempotencyKey, idempotencyKey is null ? null : HashOf(request), time.GetUtcNow());
        for (var i = 0; i < file.Steps.Count; i++)
        {
            var (draft, refused) = Draft(frame, file, parsed, i, drafts);
            if (refused is not null)
                return new IntakeResult.Refused(refused);
            drafts.Add(draft!);
        }

        // (4)
        return await intake.SubmitAsync(drafts, cancellationToken);
    }

    private (JobDraft? Draft, Refusal? Refused) Draft(SubmissionFrame frame, WorkloadFile file, ParsedWorkload parsed, int index,
        List<JobDraft> before)
    {
        var (request, step) = (frame.Request, file.Steps[index]);
        var spec = JobAdmission.Apply(step.Workload, request);
        var places = plans.Of($"{parsed.Hash}/{index}/{request.At}", spec);
        if (JobAdmission.Check(step.Workload, request, places) is { } refused)
            return (null, file.Steps.Count == 1
                ? refused : refused with { Problem = refused.Problem with { Message = $"Step '{step.Name}': {refused.Problem.Message}" } });
        var id = JobId.New(frame.Now);
        var single = file.Steps.Count == 1;
        var waits = step.Needs.Count > 0;
        var job = new LiveJob
        {
            Id = id,
            Name = "",
            WishedName = single ? request.Name ?? spec.Name : StepName(request.Name ?? file.Name, step.Name),
            ProjectId = frame.Caller.Project,
            Project = frame.Caller.ProjectName,
            SubmittedBy = frame.Caller.KeyName,
            IdempotencyKey = index == 0 ? frame.IdempotencyKey : null,
            RequestHash = index == 0 ? frame.RequestHash : null,
            Priority = spec.Priority,
            Nodes = spec.Nodes,
            Spec = spec,
            SpecText = ReferenceEquals(spec, step.Workload) ? parsed.SpecTexts[index] : JsonSerializer.Serialize(spec, ApiJson.Compact),
            Places = new JsonText<IReadOnlyList<Place>>(places.Places),
            PlacesText = places.Text,
            SubmittedAt = Micros.Of(frame.Now),
            Phase = JobPhase.Queued,
            Reason = waits ? "waits_for" : null,
            Message = waits ? $"Waits for {string.Join(", ", step.Needs)}." : null,
            Wanted = "",
            WaitsFor = waits ? string.Join(',', step.Needs) : null,
            Step = single ? null : step.Name,
            PipelineId = single ? null : before.Count == 0 ? id : before[0].Job.Id,
            EventSequence = 1,
            HasFiles = request.Workdir is not null,
            HasSecrets = request.Secrets is { Count: > 0 } && spec.Secrets.Count > 0,
        };
        return (new JobDraft(job, single && request.Name is not null, places.Hold, request.Workdir, job.HasSecrets
            ? seal.Seal(id, SecretsOf(request, spec)) : null), null);
    }

    private static string StepName(string pipeline, string step)
    {
        var name = $"{pipeline}-{step}";
        return name.Length <= JobName.MostLength ? name : name[..JobName.MostLength].TrimEnd('-');
    }

    private static Dictionary<string, string> SecretsOf(SubmitJobRequest request, WorkloadSpec spec) =>
        spec.Secrets.ToDictionary(name => name, name => request.Secrets![name]);

    private async Task<Refusal?> MissingBlobsAsync(SubmitJobRequest request, CancellationToken cancellationToken)
    {
        if (request.Workdir is not { Files.Count: > 0 } workdir)
            return null;
        var missing = await blobs.FindMissingAsync([.. workdir.Files.Where(f => f.LinkTarget is null).Select(f => f.Hash)],
            cancellationToken);
        return missing.Count == 0 ? null : Refusal.Of(
            ProblemCodes.InvalidRequest,
                $"{missing.Count} files of the working directory were not uploaded before: the first is {missing[0]}.");
    }

    private static string HashOf(SubmitJobRequest request) =>
        Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Compact)));

    private sealed record SubmissionFrame(SubmitJobRequest Request, Caller Caller, string? IdempotencyKey, string? RequestHash,
        DateTimeOffset Now);
}
