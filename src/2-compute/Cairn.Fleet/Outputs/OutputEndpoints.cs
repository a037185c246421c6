using System.Formats.Tar;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Fleet.Jobs;
using Cairn.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Fleet.Outputs;

/// <summary>What jobs left behind, over HTTP: the list, one listing, one file, or everything as a tar archive.</summary>
internal static class OutputEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var outputs = api.MapGroup("/jobs/{job}/outputs").WithTags("Outputs");
        outputs.MapGet("", ListAsync).WithName("ListJobOutputs").Produces<IReadOnlyList<OutputView>>();
        outputs.MapGet("/{name}", GetAsync).WithName("GetJobOutput").Produces<ApiManifest>()
            .Produces(StatusCodes.Status200OK, contentType: "application/octet-stream");
        outputs.MapGet("/{name}.tar", TarAsync).WithName("DownloadJobOutput")
            .Produces(StatusCodes.Status200OK, contentType: "application/x-tar");
    }

    private static async Task<IResult> ListAsync(string job, HttpContext context, JobFinder finder, Store store)
    {
        if (await finder.FindIdAsync(job, context, context.RequestAborted) is not { } id)
            return JobProblems.NotFound(job);
        var rows = await store.ReadAsync(session => OutputRows.Of(session, id, checkpoint: false), context.RequestAborted);
        return JobEndpoints.Reply<IReadOnlyList<OutputView>>(
            [.. rows.GroupBy(o => o.Name).Select(g => new OutputView(g.Key, g.Sum(o => o.SizeBytes), g.Sum(o => o.Files)))]);
    }

    /// <summary>Without <c>path</c> the listing, with it the file.</summary>
    private static async Task<IResult> GetAsync(string job, string name, HttpContext context, JobFinder finder, OutputFiles files,
        IBlobs blobs, string? path)
    {
        if (await finder.FindIdAsync(job, context, context.RequestAborted) is not { } id)
            return JobProblems.NotFound(job);
        if (await files.FindAsync(id, name, context.RequestAborted) is not { } manifest)
            return NoOutput(job, name);
        if (path is null)
            return JobEndpoints.Reply(manifest);
        var file = manifest.Files.FirstOrDefault(f => f.Path == path && f.LinkTarget is null);
        if (file is null)
            return JobProblems.Of(
                Refusal.Of(Contracts.Problems.ProblemCodes.NotFound, $"The output '{name}' of job '{job}' has no file '{path}'."));
        return TypedResults.Stream(await blobs.OpenReadAsync(file.Hash, context.RequestAborted), "application/octet-stream",
            Path.GetFileName(path));
    }

    private static async Task<IResult> TarAsync(string job, string name, HttpContext context, JobFinder finder, OutputFiles files)
    {
        if (await finder.FindIdAsync(job, context, context.RequestAborted) is not { } id)
            return JobProblems.NotFound(job);
        if (await files.FindAsync(id, name, context.RequestAborted) is not { } manifest)
            return NoOutput(job, name);
        return TypedResults.Stream(body => files.WriteTarAsync(manifest, body, context.RequestAborted), "application/x-tar", $"{name}.tar");
    }

    private static IResult NoOutput(string job, string name) => JobProblems.Of(
        Refusal.Of(Contracts.Problems.ProblemCodes.NotFound, $"The job '{job}' left no output '{name}'."));
}

/// <summary>Reads outputs. Where several ranks left one of the same name, each rank's files lie in a folder <c>rank-N</c>.</summary>
internal sealed class OutputFiles(Store store, IBlobs blobs)
{
    public async Task<ApiManifest?> FindAsync(JobId job, string name, CancellationToken cancellationToken)
    {
        var rows = await store.ReadAsync(
            session => OutputRows.Of(session, job, checkpoint: false).Where(o => o.Name == name).ToList(), cancellationToken);
        return rows.Count switch
        {
            0 => null,
            1 => rows[0].Manifest.Value,
            _ => new ApiManifest(
                [.. rows.SelectMany(row => row.Manifest.Value.Files.Select(f => f with { Path = $"rank-{row.Rank}/{f.Path}" }))]),
        };
    }

    public async Task WriteTarAsync(ApiManifest manifest, Stream body, CancellationToken cancellationToken)
    {
        await using var tar = new TarWriter(body, TarEntryFormat.Pax, leaveOpen: true);
        foreach (var file in manifest.Files)
        {
            if (file.LinkTarget is { } target)
            {
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.SymbolicLink, file.Path) { LinkName = target }, cancellationToken);
                continue;
            }
            await using var content = await blobs.OpenReadAsync(file.Hash, cancellationToken);
            await tar.WriteEntryAsync(
                new PaxTarEntry(TarEntryType.RegularFile, file.Path) { DataStream = content, Mode = (UnixFileMode)(file.Mode & 0x1FF) },
                    cancellationToken);
        }
    }
}
