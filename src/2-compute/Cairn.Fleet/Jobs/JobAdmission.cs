using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;
using Cairn.Fleet.Outputs;
using Cairn.Fleet.Placement;

namespace Cairn.Fleet.Jobs;

/// <summary>A refusal with everything that is wrong, one sentence each.</summary>
internal sealed record Refusal(Problem Problem, IReadOnlyList<string> Errors)
{
    public static Refusal Of(string code, string message, params IReadOnlyList<string> errors) => new(new Problem(code, message), errors);
}

/// <summary>What a person may change of a workload while submitting it, checked.</summary>
internal static class JobAdmission
{
    private const int MostEnvBytes = 256 * 1024;
    private const int MostFiles = 100_000;
    private const int MostIdempotencyKey = 200;

    /// <summary>Everything that is wrong with a request besides its workload; null when it is good.</summary>
    public static Refusal? Check(SubmitJobRequest request, string? idempotencyKey, string callerProject)
    {
        var errors = new List<string>();
        if (request.Name is { } name && !JobName.IsValid(name))
        {
            errors.Add($"The name '{name}' is not valid; expected lower-case letters, digits and hyphens, at most {JobName.MostLength}, "
                + "beginning and ending with a letter or digit.");
        }
        if (request.Project is { } project && project != callerProject)
            errors.Add($"The request acts in project '{callerProject}', not in '{project}'; send it as ?project={project}.");
        if (idempotencyKey is { Length: > MostIdempotencyKey })
            errors.Add($"The Idempotency-Key has {idempotencyKey.Length} characters; expected at most {MostIdempotencyKey}.");
        CheckVariables("env", request.Env, errors);
        CheckVariables("secrets", request.Secrets, errors);
        if (request.Workdir is { } workdir)
        {
            if (workdir.Files.Count > MostFiles)
                errors.Add($"The working directory has {workdir.Files.Count:N0} files; expected at most {MostFiles:N0}.");
            else if (Manifests.Fault(workdir) is { } fault)
                errors.Add(fault);
        }
        return errors.Count == 0 ? null : Refusal.Of(ProblemCodes.InvalidRequest, errors[0], errors);
    }

    /// <summary>The workload as it will run: with the request's environment and place.</summary>
    public static WorkloadSpec Apply(WorkloadSpec workload, SubmitJobRequest request)
    {
        if (request.Env is { Count: > 0 } env)
        {
            var merged = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (var (key, value) in workload.Env.Concat(env))
                merged[key] = value;
            workload = workload with { Env = merged };
        }
        if (request.At is { Length: > 0 } at)
        {
            var parts = at.Split('/', 2);
            workload = workload with
            {
                Where = workload.Where with
                {
                    Providers = [parts[0]],
                    Regions = parts.Length == 2 ? [parts[1]] : workload.Where.Regions,
                },
            };
        }
        return workload;
    }

    /// <summary>Whether the workload can be run as it stands; null when it can.</summary>
    public static Refusal? Check(WorkloadSpec original, SubmitJobRequest request, PlaceChoice places)
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(original.Run) && string.IsNullOrWhiteSpace(original.Setup))
            errors.Add("The workload has nothing to run: give it a 'run'.");
        foreach (var secret in original.Secrets.Where(s => request.Secrets?.ContainsKey(s) != true))
            errors.Add($"The workload names the secret '{secret}', which the request does not give.");
        foreach (var secret in request.Secrets?.Keys.Except(original.Secrets) ?? [])
            errors.Add($"The request gives the secret '{secret}', which the workload does not name.");
        if (errors.Count > 0)
            return Refusal.Of(ProblemCodes.InvalidRequest, errors[0], errors);
        if (request.At is { Length: > 0 } at && original.Where.Providers.Count > 0
            && !original.Where.Providers.Contains(at.Split('/', 2)[0], StringComparer.OrdinalIgnoreCase))
        {
            var allowed = string.Join(", ", original.Where.Providers);
            return Refusal.Of(ProblemCodes.NoPlace, $"The workload allows only {allowed}, and is to run at {at}.");
        }
        if (places.Places.Count > 0)
            return null;
        return places.Refusals.Count == 0
            ? Refusal.Of(ProblemCodes.NoPlace,
                "No node takes work, so there is nowhere to run. Start one (cairn up, cairn node join TOKEN), or uncordon one (cairn nodes).")
            : Refusal.Of(ProblemCodes.NoPlace, $"None of the {places.Refusals.Count} kinds of enrolled nodes can run this workload.",
                places.Refusals);
    }

    private static void CheckVariables(string what, IReadOnlyDictionary<string, string>? variables, List<string> errors)
    {
        if (variables is null)
            return;
        foreach (var name in variables.Keys.Where(n =>
            n.Length == 0 || n.Contains('=', StringComparison.Ordinal) || n.Contains('\0', StringComparison.Ordinal)))
            errors.Add($"'{name}' in {what} cannot name an environment variable.");
        if (variables.Sum(v => (long)v.Key.Length + v.Value.Length) > MostEnvBytes)
            errors.Add($"The {what} have more than {MostEnvBytes:N0} characters together.");
    }
}

/// <summary>One job that was found good and is to be written.</summary>
/// <param name="Job">As it begins.</param>
/// <param name="NameIsWished">Whether the person insisted on the name; else a taken one gets a suffix.</param>
/// <param name="Hold">What must be held before it is accepted.</param>
/// <param name="Files">Its working directory.</param>
/// <param name="SealedSecrets">Its secrets, unreadable.</param>
internal sealed record JobDraft(LiveJob Job, bool NameIsWished, Money Hold, ApiManifest? Files, string? SealedSecrets);
