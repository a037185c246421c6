using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Problems;
using Cairn.Serving.Gateways;

namespace Cairn.Serving.Alone;

/// <summary>The server says in its own words that this gateway may not ask: its key is unknown, revoked or of another role.</summary>
internal sealed class ServerRefusedException(string message) : Exception(message);

/// <summary>The way to the server, and whether it is there.</summary>
internal sealed class ServerLink : IDisposable
{
    private readonly HttpClient _http;
    private volatile bool _isAway = true;

    public ServerLink(AloneOptions options)
    {
        _http = new HttpClient(options.NewHandler())
        {
            BaseAddress = new Uri(options.Server.AbsoluteUri.TrimEnd('/') + "/api/v1/gateway/"), Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.Key);
    }

    /// <summary>Whether the feed is cut: nothing is asked of the server that a request would wait for.</summary>
    public bool IsAway
    {
        get => _isAway;
        set => _isAway = value;
    }

    /// <exception cref="HttpRequestException">The server is not there, or answers with a failure.</exception>
    /// <exception cref="ServerRefusedException">The key may not be used.</exception>
    public async Task<HttpResponseMessage> OpenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Version = HttpVersion.Version11;
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden && await RefusalOfAsync(response, cancellationToken) is { } refusal)
        {
            response.Dispose();
            throw new ServerRefusedException(refusal);
        }
        return response;
    }

    public async Task<ReportReply> ReportAsync(GatewayReport report, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "reports") { Content = JsonContent.Create(report, options: ApiJson.Compact) };
        using var response = await OpenAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}");
        return await response.Content.ReadFromJsonAsync<ReportReply>(ApiJson.Compact, cancellationToken)
            ?? throw new HttpRequestException("The server's reply is null.");
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Only a server's own problem counts: a proxy on the way that refuses is an outage like another.</summary>
    private static async Task<string?> RefusalOfAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            using var body = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            return body.RootElement.TryGetProperty("code", out var code) && code.GetString() is ProblemCodes.Unauthenticated or ProblemCodes.Forbidden
                ? body.RootElement.TryGetProperty("detail", out var detail) ? detail.GetString() ?? "" : "" : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
