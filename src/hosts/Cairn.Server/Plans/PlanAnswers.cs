using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Contracts.Api;
using Cairn.Contracts.Workloads;
using Cairn.Planning;
using Cairn.Planning.Offers;

namespace Cairn.Server.Plans;

/// <summary>Plans a parsed file: the same answer from the server and from a command line without one.</summary>
public static class PlanAnswers
{
    public static PlanAnswer Answer(PlanRequest request, WorkloadFile file, OfferSnapshot offers)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(file);
        var steps = file.Steps.Select(step => step with { Workload = At(step.Workload, request.At) }).ToList();
        if (steps.Count > 1)
        {
            var pipeline = Planner.Plan(file with { Steps = steps }, offers, PlanningContext.Default);
            return new PlanAnswer { Pipeline = PipelinePlanView.From(pipeline, request.Limit, request.RejectedLimit) };
        }

        var plan = Planner.Plan(steps[0].Workload, offers, PlanningContext.Default);
        return new PlanAnswer { Workload = PlanView.From(plan, request.Limit, request.RejectedLimit) };
    }

    /// <summary>Narrows the workload to a provider, or to one of its regions.</summary>
    /// <param name="workload">What is wanted.</param>
    /// <param name="at"><c>PROVIDER</c> or <c>PROVIDER/REGION</c>; null leaves all.</param>
    private static WorkloadSpec At(WorkloadSpec workload, string? at)
    {
        if (string.IsNullOrWhiteSpace(at))
            return workload;
        var split = at.IndexOf('/', StringComparison.Ordinal);
        var where = split < 0
            ? workload.Where with { Providers = [at] }
            : workload.Where with { Providers = [at[..split]], Regions = [at[(split + 1)..]] };
        return workload with { Where = where };
    }
}

/// <summary>
/// The answer to a plan request: of one workload, or of a pipeline. In JSON it is the one or the other itself; only a pipeline has
/// <c>steps</c>.
/// </summary>
[JsonConverter(typeof(PlanAnswerJsonConverter))]
public sealed record PlanAnswer
{
    public PlanView? Workload { get; init; }

    public PipelinePlanView? Pipeline { get; init; }

    /// <summary>Whether everything has a place.</summary>
    public bool HasPlace => Pipeline is null ? Workload!.Candidates.Count > 0 : Pipeline.TotalUsd is not null;
}

internal sealed class PlanAnswerJsonConverter : JsonConverter<PlanAnswer>
{
    public override PlanAnswer Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return document.RootElement.TryGetProperty("steps", out _)
            ? new PlanAnswer { Pipeline = document.RootElement.Deserialize<PipelinePlanView>(options) }
            : new PlanAnswer { Workload = document.RootElement.Deserialize<PlanView>(options) };
    }

    public override void Write(Utf8JsonWriter writer, PlanAnswer value, JsonSerializerOptions options)
    {
        if (value.Pipeline is not null)
            JsonSerializer.Serialize(writer, value.Pipeline, options);
        else
            JsonSerializer.Serialize(writer, value.Workload, options);
    }
}
