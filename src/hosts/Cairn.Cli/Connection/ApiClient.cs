using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Authentication;
using System.Text.Json;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Connection;

/// <summary>The REST API as the commands use it. Every refusal becomes a <see cref="CliException"/> with the server's own words.</summary>
internal sealed class ApiClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly ServerContext _server;

    public ApiClient(ServerContext server)
    {
        _server = server;
        _http = new HttpClient(ServerTrust.NewHandler(server))
        {
            BaseAddress = new Uri(server.Server + "/api/v1/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (server.Key is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Key);
    }

    public string Server => _server.Server;

    /// <summary>For what is not the REST API: models are called below <c>/v1</c>. The caller disposes of it.</summary>
    public HttpClient NewRawClient()
    {
        var http = new HttpClient(ServerTrust.NewHandler(_server))
        {
            BaseAddress = new Uri(_server.Server), Timeout = Timeout.InfiniteTimeSpan,
        };
        if (_server.Key is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _server.Key);
        return http;
    }

    public async Task<T> GetAsync<T>(string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);
        return await ReadAsync<T>(response, cancellationToken);
    }

    public async Task<TReply> PostAsync<TBody, TReply>(string path, TBody body, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(Post(path, JsonContent.Create(body, options: ApiJson.Compact)), cancellationToken);
        return await ReadAsync<TReply>(response, cancellationToken);
    }

    public async Task PostAsync(string path, CancellationToken cancellationToken) =>
        (await SendAsync(Post(path, null), cancellationToken)).Dispose();

    /// <summary>The reply as a document, for who reads it by hand.</summary>
    public async Task<JsonDocument> PostAsync(string path, HttpContent content, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(Post(path, content), cancellationToken);
        try
        {
            return JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (JsonException exception)
        {
            throw NotJson(response, exception);
        }
    }

    public async Task<TReply> PostContentAsync<TReply>(string path, HttpContent content, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(Post(path, content), cancellationToken);
        return await ReadAsync<TReply>(response, cancellationToken);
    }

    public async Task PutAsync(string path, HttpContent content, CancellationToken cancellationToken) =>
        (await SendAsync(new HttpRequestMessage(HttpMethod.Put, path) { Content = content }, cancellationToken)).Dispose();

    public async Task DeleteAsync(string path, CancellationToken cancellationToken) =>
        (await SendAsync(new HttpRequestMessage(HttpMethod.Delete, path), cancellationToken)).Dispose();

    /// <summary>All pages of a listing.</summary>
    public async Task<IReadOnlyList<T>> ListAsync<T>(string path, int limit, CancellationToken cancellationToken)
    {
        var items = new List<T>();
        string? cursor = null;
        do
        {
            var separator = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
            var page = await GetAsync<Page<T>>(cursor is null ? path : $"{path}{separator}cursor={Uri.EscapeDataString(cursor)}", cancellationToken);
            items.AddRange(page.Items);
            cursor = page.NextCursor;
        }
        while (cursor is not null && items.Count < limit);
        return items.Count > limit ? items[..limit] : items;
    }

    /// <summary>The response with its body still to be read, for downloads and event streams.</summary>
    public Task<HttpResponseMessage> OpenAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, cancellationToken, HttpCompletionOption.ResponseHeadersRead);

    public void Dispose() => _http.Dispose();

    // A POST carries a key of its own, so that a retry by any proxy on the way has one effect.
    private static HttpRequestMessage Post(string path, HttpContent? content)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        request.Headers.Add("Idempotency-Key", Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16)));
        return request;
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, completion, cancellationToken);
        }
        catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException untrusted)
        {
            throw new CliException(ExitCodes.Unreachable,
                $"What answers at {_server.Server} has no certificate for that name that this machine trusts. {untrusted.Message}",
                ["`cairn context set URL --certificate FILE` trusts a server's own certificate, or its authority's."]);
        }
        catch (HttpRequestException exception)
        {
            throw new CliException(ExitCodes.Unreachable,
                $"No server answers at {_server.Server} ({exception.InnerException?.Message ?? exception.Message}). Is `cairn up` running?");
        }

        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw await RefusalAsync(response, cancellationToken);
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return await response.Content.ReadFromJsonAsync<T>(ApiJson.Compact, cancellationToken)
                ?? throw new CliException(ExitCodes.Failure, $"{response.RequestMessage!.RequestUri} answered with nothing.");
        }
        catch (JsonException exception)
        {
            throw NotJson(response, exception);
        }
    }

    private static CliException NotJson(HttpResponseMessage response, JsonException exception) =>
        new(ExitCodes.Failure, $"{response.RequestMessage!.RequestUri} answered with something else than JSON: {exception.Message}");

    private static async Task<CliException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var exitCode = response.StatusCode switch
        {
            HttpStatusCode.NotFound => ExitCodes.NotFound,
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ExitCodes.NotAllowed,
            HttpStatusCode.BadRequest => ExitCodes.Usage,
            HttpStatusCode.ServiceUnavailable => ExitCodes.Unreachable,
            < HttpStatusCode.InternalServerError => ExitCodes.Refused,
            _ => ExitCodes.Failure,
        };
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        try
        {
            var problem = JsonSerializer.Deserialize<ProblemBody>(body, ApiJson.Compact);
            if (problem?.Detail is not null || problem?.Title is not null)
                return new CliException(exitCode, problem.Detail ?? problem.Title!, problem.Errors);
        }
        catch (JsonException)
        {
            // Not a problem document: a proxy's page, say. The status has to do.
        }

        return new CliException(exitCode, $"{response.RequestMessage!.RequestUri} answered {(int)response.StatusCode} {response.ReasonPhrase}.");
    }

    private sealed record ProblemBody(string? Title, string? Detail, string? Code, IReadOnlyList<string>? Errors);
}
