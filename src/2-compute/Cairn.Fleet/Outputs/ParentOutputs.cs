using Cairn.Contracts.Api;
using Cairn.Contracts.Workloads;
using Cairn.Fleet.Jobs;
using Cairn.State;

namespace Cairn.Fleet.Outputs;

/// <summary>
/// What a step of a pipeline reads of its parents. An input that names a step is that step's output of the same name, or all its outputs
/// where it has none of that name; it lies at the input's path in the working directory.
/// </summary>
internal static class ParentOutputs
{
    public static IReadOnlyList<(DataSpec Input, OutputRow Output)> Of(ReadSession session, LiveJob job)
    {
        if (job.PipelineId is null)
            return [];
        var found = new List<(DataSpec, OutputRow)>();
        foreach (var input in job.Workload.Inputs.Where(i => i.Step is not null))
        {
            var outputs = session.Query<OutputRow>(
                """
                SELECT o.* FROM jobs j JOIN job_outputs o ON o.job_id = j.id
                WHERE j.pipeline_id = @PipelineId AND j.step = @Step AND o.checkpoint = FALSE ORDER BY o.name, o.rank
                """, new { job.PipelineId, input.Step });
            var named = outputs.Where(o => o.Name == input.Name).ToList();
            found.AddRange((named.Count > 0 ? named : outputs).Select(o => (input, o)));
        }
        return found;
    }

    /// <summary>The job's files with its parents' among them.</summary>
    public static ApiManifest Merge(ApiManifest? files, IReadOnlyList<(DataSpec Input, OutputRow Output)> parents)
    {
        var byPath = (files?.Files ?? []).ToDictionary(f => f.Path, StringComparer.Ordinal);
        foreach (var (input, output) in parents)
        {
            var folder = (input.Path ?? input.Name).Trim('/');
            foreach (var file in output.Manifest.Value.Files)
                byPath[$"{folder}/{file.Path}"] = file with { Path = $"{folder}/{file.Path}" };
        }
        return new ApiManifest([.. byPath.Values]);
    }
}
