using Cairn.Contracts.Api;
using Cairn.Contracts.Problems;
using Cairn.Fleet.Link;
using Cairn.Fleet.Nodes;
using Cairn.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Fleet.Blobs;

/// <summary>POST /api/v1/blobs/missing.</summary>
internal sealed record MissingBlobsRequest(IReadOnlyList<string> Hashes);

/// <param name="Missing">Those that are not there, in the order asked, each once.</param>
internal sealed record MissingBlobsReply(IReadOnlyList<string> Missing);

/// <summary>
/// Contents over HTTP: ask which are missing, send those, read one. Blobs are never collected here: a workload that was just uploaded and
/// not yet submitted is referenced by nothing, so what is unreferenced cannot be known safely.
/// </summary>
internal static class BlobEndpoints
{
    private const int MaxHashes = 100_000;

    public static void Map(IEndpointRouteBuilder api)
    {
        var blobs = api.MapGroup("/blobs").WithTags("Blobs");
        blobs.MapPost("/missing", FindMissingAsync).WithName("FindMissingBlobs").Produces<MissingBlobsReply>();
        blobs.MapPut("/{hash}", PutAsync).WithName("PutBlob").Accepts<Stream>("application/octet-stream")
            .Produces(StatusCodes.Status204NoContent);
        blobs.MapGet("/{hash}", GetAsync).WithName("GetBlob").Produces(StatusCodes.Status200OK, contentType: "application/octet-stream");
    }

    private static async Task<IResult> FindMissingAsync(MissingBlobsRequest request, IBlobs blobs, CancellationToken cancellationToken)
    {
        if (request.Hashes is not { Count: <= MaxHashes } hashes)
            return Answers.Invalid($"hashes has {request.Hashes?.Count ?? 0} entries, expected 1 to {MaxHashes}");
        if (hashes.FirstOrDefault(hash => !BlobHash.IsValid(hash)) is { } wrong)
            return NotAHash(wrong);
        return Results.Json(new MissingBlobsReply(await blobs.FindMissingAsync(hashes, cancellationToken)), ApiJson.Compact);
    }

    private static async Task<IResult> PutAsync(string hash, IBlobs blobs, NodeLinkOptions options, HttpContext context,
        CancellationToken cancellationToken)
    {
        if (!BlobHash.IsValid(hash))
            return NotAHash(hash);
        if (context.Request.ContentLength is not { } size)
            return Answers.Of(new Problem(ProblemCodes.InvalidRequest, "PUT of a blob needs a Content-Length"));
        if (size > options.MaxBlobBytes)
            return Answers.Of(new Problem(ProblemCodes.TooLarge,
                $"blob {hash} has {size} bytes, at most {options.MaxBlobBytes} are taken"));
        // The limit for requests is meant for JSON; this one was just checked against its own.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = options.MaxBlobBytes;
        try
        {
            await blobs.PutAsync(hash, size, context.Request.Body, cancellationToken);
            return Results.NoContent();
        }
        catch (BlobException error)
        {
            return Answers.Of(new Problem(CodeOf(error.Fault), error.Message));
        }
    }

    private static async Task<IResult> GetAsync(string hash, IBlobs blobs, CancellationToken cancellationToken)
    {
        if (!BlobHash.IsValid(hash))
            return NotAHash(hash);
        try
        {
            return Results.Stream(await blobs.OpenReadAsync(hash, cancellationToken), "application/octet-stream");
        }
        catch (BlobException error)
        {
            return Answers.Of(new Problem(CodeOf(error.Fault), error.Message));
        }
    }

    private static string CodeOf(BlobFault fault) => fault switch
    {
        BlobFault.Missing => ProblemCodes.NotFound,
        BlobFault.TooLarge => ProblemCodes.TooLarge,
        BlobFault.Unavailable => ProblemCodes.Unavailable,
        _ => ProblemCodes.InvalidRequest,
    };

    private static IResult NotAHash(string text) =>
        Answers.Invalid($"'{(text.Length > 70 ? text[..70] + "…" : text)}' names no blob, expected its SHA-256: 64 lower-case hex digits");
}
