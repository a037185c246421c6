using System.Net.Http.Headers;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Connection;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Workdirs;

/// <summary>Sends the blobs of a working directory that the server does not have.</summary>
internal static class WorkdirUpload
{
    private const int Parallel = 4;

    public static async Task<ApiManifest> SendAsync(Output output, ApiClient api, string folder, IReadOnlyList<string>? only, CancellationToken cancellationToken)
    {
        var content = await WorkdirScan.ReadAsync(folder, only, cancellationToken);
        if (content.PathByHash.Count == 0)
            return content.Manifest;
        var reply = await api.PostAsync<MissingRequest, MissingReply>(
            "blobs/missing", new MissingRequest([.. content.PathByHash.Keys]), cancellationToken);
        if (reply.Missing.Count > 0)
        {
            var bytes = reply.Missing.Sum(hash => new FileInfo(content.PathByHash[hash]).Length);
            output.Note($"Uploading {reply.Missing.Count} of {content.Manifest.Files.Count} files ({Words.Bytes(bytes)}).");
        }

        var options = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken };
        await System.Threading.Tasks.Parallel.ForEachAsync(reply.Missing, options, async (hash, token) =>
        {
            await using var stream = File.OpenRead(content.PathByHash[hash]);
            using var body = new StreamContent(stream);
            body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            await api.PutAsync("blobs/" + hash, body, token);
        });
        return content.Manifest;
    }

    private sealed record MissingRequest(IReadOnlyList<string> Hashes);

    private sealed record MissingReply(IReadOnlyList<string> Missing);
}
