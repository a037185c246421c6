using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cairn.Serving.Certificates.Acme;

/// <summary>Signed requests to one authority: nonces, retries of those that it does not like, its errors in words. Not for concurrent use.</summary>
internal sealed class AcmeConnection : IDisposable
{
    private const int MostNonces = 10;
    private const long MostAnswerBytes = 1 << 20;
    private readonly HttpClient _http;
    private readonly AcmeKey _key;
    private readonly TimeProvider _time;
    private JsonObject? _directory;
    private string? _nonce;

    public AcmeConnection(AcmeOptions options, AcmeKey key, TimeProvider time)
    {
        (_key, _time) = (key, time);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(10) };
        if (options.Root is not null)
            handler.SslOptions.CertificateChainPolicy = TrustOnly(options.Root);
        _http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(60), MaxResponseContentBufferSize = MostAnswerBytes };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("cairn-acme", null));
        Directory = options.Directory;
    }

    public Uri Directory { get; }

    /// <summary>The account that signs; null before there is one.</summary>
    public Uri? Account { get; set; }

    /// <summary>An address of the directory, such as <c>newOrder</c>.</summary>
    public async Task<Uri> AddressAsync(string name, CancellationToken cancellationToken) =>
        new((string?)(await DirectoryAsync(cancellationToken))[name] ?? throw new AcmeException("malformed", $"{Directory} names no {name}."));

    public async Task<JsonObject> DirectoryAsync(CancellationToken cancellationToken) =>
        _directory ??= (await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, Directory), cancellationToken)).Json;

    /// <summary>
    /// Sends a payload, or reads where there is none. A nonce that the authority does not know (any more) is replaced by the one it gives
    /// instead (RFC 8555, 6.5).
    /// </summary>
    public async Task<AcmeAnswer> PostAsync(Uri url, JsonNode? payload, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var nonce = Interlocked.Exchange(ref _nonce, null) ?? await NonceAsync(cancellationToken);
            try
            {
                return await SendAsync(() =>
                {
                    var content = new StringContent(_key.Sign(url, nonce, Account, payload), Encoding.UTF8);
                    content.Headers.ContentType = new MediaTypeHeaderValue("application/jose+json");
                    return new HttpRequestMessage(HttpMethod.Post, url) { Content = content };
                }, cancellationToken);
            }
            catch (AcmeException refused) when (refused.Type == "badNonce" && attempt < MostNonces)
            {
                // The refusal brought a fresh one.
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<string> NonceAsync(CancellationToken cancellationToken)
    {
        var url = await AddressAsync("newNonce", cancellationToken);
        await SendAsync(() => new HttpRequestMessage(HttpMethod.Head, url), cancellationToken);
        return Interlocked.Exchange(ref _nonce, null) ?? throw new AcmeException("malformed", $"{url} gave no nonce.");
    }

    private async Task<AcmeAnswer> SendAsync(Func<HttpRequestMessage> make, CancellationToken cancellationToken)
    {
        using var request = make();
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            if (response.Headers.TryGetValues("Replay-Nonce", out var nonces))
                _nonce = nonces.First();
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            var wait = RetryAfter(response.Headers.RetryAfter);
            if (!response.IsSuccessStatusCode)
                throw Refusal(request.RequestUri!, response.StatusCode, text, wait);
            return new AcmeAnswer(response.Headers.Location, text, wait);
        }
        catch (Exception failed) when (failed is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new AcmeException("unreachable", $"{request.RequestUri!.Host} does not answer: {failed.InnerException?.Message ?? failed.Message}", null, failed);
        }
    }

    private TimeSpan? RetryAfter(RetryConditionHeaderValue? header) => header?.Delta ?? (header?.Date is { } date ? date - _time.GetUtcNow() : null);

    private static AcmeException Refusal(Uri url, HttpStatusCode status, string text, TimeSpan? wait)
    {
        try
        {
            if (JsonNode.Parse(text) is JsonObject problem)
                return new AcmeException(TypeOf(problem), $"{url.Host} refuses: {DetailOf(problem)}", wait);
        }
        catch (JsonException)
        {
            // Not a problem document; the status says it.
        }
        return new AcmeException("http", string.Create(CultureInfo.InvariantCulture, $"{url} answers {(int)status}."), wait);
    }

    public static string TypeOf(JsonObject problem) => ((string?)problem["type"] ?? "about:blank").Split(':')[^1];

    /// <summary>A problem and those below it, such as one per name.</summary>
    public static string DetailOf(JsonObject problem)
    {
        var below = problem["subproblems"]?.AsArray().OfType<JsonObject>().Select(DetailOf) ?? [];
        return string.Join(" ", below.Prepend($"{(string?)problem["detail"] ?? "no reason"} ({TypeOf(problem)})"));
    }

    private static X509ChainPolicy TrustOnly(string root)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(root);
        return policy;
    }
}

/// <param name="Location">The address of what was made.</param>
/// <param name="RetryAfter">When to look again.</param>
internal sealed record AcmeAnswer(Uri? Location, string Text, TimeSpan? RetryAfter)
{
    /// <exception cref="AcmeException">It is not a JSON object.</exception>
    public JsonObject Json
    {
        get
        {
            try
            {
                return (JsonObject)JsonNode.Parse(Text)!;
            }
            catch (Exception broken) when (broken is JsonException or InvalidCastException or NullReferenceException)
            {
                throw new AcmeException("malformed", "The authority's answer is not a JSON object.", null, broken);
            }
        }
    }
}
