using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Certificates.Acme;

/// <summary>Marks a connection to the plain port that is open for the authority's questions alone.</summary>
internal sealed class PlainPort
{
    public static readonly PlainPort Mark = new();
}

/// <summary>Answers the authority, whichever name and port it asks at. Everything else that comes to the plain port is sent to HTTPS.</summary>
internal sealed class AcmeDoor(RequestDelegate next, AcmeChallenges challenges)
{
    public Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (path.StartsWith(AcmeChallenges.Path, StringComparison.Ordinal) && challenges.Find(path[AcmeChallenges.Path.Length..]) is { } answer)
        {
            context.Response.ContentType = "application/octet-stream";
            return context.Response.WriteAsync(answer, context.RequestAborted);
        }
        return context.Features.Get<PlainPort>() is null ? next(context) : RedirectAsync(context);
    }

    /// <summary>A key that was sent in the clear must not work, so nothing but reading is sent on.</summary>
    private static Task RedirectAsync(HttpContext context)
    {
        var request = context.Request;
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) || !request.Host.HasValue)
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return context.Response.WriteAsync("This port is not encrypted. Use https://.\n", context.RequestAborted);
        }
        context.Response.Redirect(new UriBuilder("https", request.Host.Host) { Path = request.Path.ToUriComponent(), Query = request.QueryString.ToUriComponent() }.Uri.AbsoluteUri,
            permanent: true, preserveMethod: true);
        return Task.CompletedTask;
    }
}
