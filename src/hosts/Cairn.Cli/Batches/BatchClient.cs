using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Batches;

/// <summary>
/// Files and batches below <c>/v1</c>, as the commands use them. Every refusal becomes a <see cref="CliException"/> with the gateway's
/// own words.
/// </summary>
internal sealed class BatchClient(CommandContext context) : IDisposable
{
    private const int MostTries = 30;
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);
    private readonly HttpClient _http = context.Api.NewRawClient();

    /// <summary>Sends an input file and makes a batch of it.</summary>
    public async Task<JsonObject> MakeAsync(string path, string endpoint, CancellationToken cancellationToken)
    {
        var file = await SendAsync(HttpMethod.Post, "/v1/files", () => Form(path), cancellationToken);
        var wish = new JsonObject { ["input_file_id"] = (string)file["id"]!, ["endpoint"] = endpoint, ["completion_window"] = "24h" };
        return await SendAsync(HttpMethod.Post, "/v1/batches", () => new StringContent(wish.ToJsonString(), Encoding.UTF8, "application/json"), cancellationToken);
    }

    public Task<JsonObject> ShowAsync(string id, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, "/v1/batches/" + Query.Segment(id), null, cancellationToken);

    public Task<JsonObject> CancelAsync(string id, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"/v1/batches/{Query.Segment(id)}/cancel", null, cancellationToken);

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<JsonObject>> ListAsync(int most, CancellationToken cancellationToken)
    {
        var all = new List<JsonObject>();
        string? after = null;
        do
        {
            var page = await SendAsync(HttpMethod.Get, Query.Of("/v1/batches", ("limit", $"{Math.Min(100, most - all.Count)}"), ("after", after)), null, cancellationToken);
            all.AddRange(page["data"]!.AsArray().Select(b => b!.AsObject()));
            after = (bool)page["has_more"]! ? (string?)page["last_id"] : null;
        }
        while (after is not null && all.Count < most);
        return all;
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Whoever disposes of the form closes the file.</summary>
    private static MultipartFormDataContent Form(string path)
    {
        var part = new StreamContent(File.OpenRead(path));
        part.Headers.ContentType = new MediaTypeHeaderValue("application/jsonl");
        var name = Path.GetFileName(path);
        return new MultipartFormDataContent
        {
            { new StringContent("batch"), "purpose" }, { part, "file", name.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) ? name : name + ".jsonl" },
        };
    }

    /// <param name="content">Makes the body, anew for every try.</param>
    private async Task<JsonObject> SendAsync(HttpMethod method, string path, Func<HttpContent>? content, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await SendPatientlyAsync(method, path, content, cancellationToken);
            var answer = await ReadAsync(response, cancellationToken);
            return response.IsSuccessStatusCode && answer is not null ? answer : throw new CliException(CodeOf(response.StatusCode),
                (string?)answer?["error"]?["message"] ?? $"{context.Api.Server} answers {(int)response.StatusCode}.");
        }
        catch (HttpRequestException exception)
        {
            throw new CliException(ExitCodes.Unreachable, $"No server answers at {context.Api.Server} ({exception.InnerException?.Message ?? exception.Message}). Is `cairn up` running?");
        }
    }

    /// <summary>
    /// A server that has just begun asks to come again, and with a database that is shared that may last until its predecessor's lease is
    /// over. What it had no time to look at is sent again; another outage may have come after it was taken.
    /// </summary>
    private async Task<HttpResponseMessage> SendPatientlyAsync(HttpMethod method, string path, Func<HttpContent>? content, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            using var request = new HttpRequestMessage(method, path) { Content = content?.Invoke() };
            var response = await _http.SendAsync(request, cancellationToken);
            if (response.StatusCode != HttpStatusCode.ServiceUnavailable || tries == MostTries
                || (content is not null && (string?)(await ReadAsync(response, cancellationToken))?["error"]?["code"] != "starting"))
            {
                return response;
            }
            response.Dispose();
            await Task.Delay(s_pause, cancellationToken);
        }
    }

    private static async Task<JsonObject?> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return JsonNode.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken)) as JsonObject;
        }
        catch (JsonException)
        {
            return null; // Not the gateway's own words; the status is told instead.
        }
    }

    private static int CodeOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.NotFound => ExitCodes.NotFound,
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ExitCodes.NotAllowed,
        HttpStatusCode.BadRequest => ExitCodes.Usage,
        >= HttpStatusCode.InternalServerError => ExitCodes.Failure,
        _ => ExitCodes.Refused,
    };
}
