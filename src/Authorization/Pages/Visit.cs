using Authorization.Accounts;
using Authorization.Server;
using Authorization.Tokens;
using FhirCore.Auditing;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;

namespace Authorization.Pages;

/// <summary>One request for a page: who asks, in which language, with which form, and how it is answered.</summary>
public sealed class Visit
{
    private readonly PageHost _host;

    internal Visit(PageHost host, HttpContext http, Texts texts, SignedIn? signedIn, string formToken, IFormCollection form)
    {
        _host = host;
        Http = http;
        Texts = texts;
        AnySignedIn = signedIn;
        FormToken = formToken;
        Form = form;
    }

    public HttpContext Http { get; }

    public Texts Texts { get; }

    /// <summary>Null where nobody is, or whoever is must add a second factor first; never on pages for those who are signed in.</summary>
    public SignedIn? SignedIn => AnySignedIn is { MustAddSecondFactor: false } full ? full : null;

    /// <summary>Also those who must add a second factor first: for the pages on which they do so.</summary>
    internal SignedIn? AnySignedIn { get; }

    /// <exception cref="InvalidOperationException">The page is for everyone, and nobody is signed in.</exception>
    public SignedIn Who => AnySignedIn ?? throw new InvalidOperationException("The page was mapped for those who are signed in.");

    /// <summary>Goes into each form: <see cref="FormTokens.Field"/>.</summary>
    public string FormToken { get; }

    /// <summary>Empty for a GET.</summary>
    public IFormCollection Form { get; }

    /// <summary>See <see cref="PageHeaders.Set"/>.</summary>
    public bool EndsAtApps { get; set; }

    public CancellationToken Aborted => Http.RequestAborted;

    public string? Address => Http.Connection.RemoteIpAddress?.ToString();

    /// <summary>A field of the form without blanks around it; empty where there is none.</summary>
    public string Field(string name) => Form[name] is [{ } value, ..] ? value.Trim() : "";

    /// <summary>A field as it was typed: passwords may begin and end with blanks.</summary>
    public string Typed(string name) => Form[name] is [{ } value, ..] ? value : "";

    /// <summary>A parameter of the address; empty where there is none.</summary>
    public string Query(string name) => Http.Request.Query[name] is [{ } value, ..] ? value : "";

    /// <summary>Path of the page that was asked for, as browsers know it.</summary>
    public string Here => PathOf(Http.Request.Path.Value![(PublicAddresses.LocalPath.Length + 1)..]);

    /// <summary>As browsers know it: <c>/auth/sign-in</c> of <c>sign-in</c>.</summary>
    public string PathOf(string page) => $"{_host.Addresses.PublicPath}/{page}";

    /// <summary>Puts on record what the visitor has done, before they are told.</summary>
    /// <param name="detail">A short code, never what was typed.</param>
    /// <param name="about">Whose account, or which app, where it is not the visitor's own.</param>
    /// <exception cref="NotOnRecordException">It could not be stored in time.</exception>
    public Task KeepAsync(SecurityEventKind kind, string detail, bool succeeded = true, string? about = null, string? clientId = null) => _host.Trail.KeepAsync(
        new(kind, succeeded, clientId, AnySignedIn?.AccountId, AnySignedIn is { } who ? TokenStanding.FhirUserOf(who.Account) : null, Http.Connection.RemoteIpAddress, detail, About: about), Aborted);

    /// <summary>Answers with a page.</summary>
    /// <param name="parameters">Of the component; <see cref="Page.Visit"/> is given too.</param>
    public Task ShowAsync<TPage>(int status = StatusCodes.Status200OK, params ReadOnlySpan<(string Name, object? Value)> parameters)
        where TPage : Page
    {
        var all = new Dictionary<string, object?>(StringComparer.Ordinal) { [nameof(Page.Visit)] = this };
        foreach (var (name, value) in parameters)
        {
            all[name] = value;
        }
        return _host.RenderAsync<TPage>(this, status, ParameterView.FromDictionary(all));
    }

    /// <summary>Answers with a page of one sentence.</summary>
    /// <param name="key">Of <c>{key}.title</c> and <c>{key}.text</c>.</param>
    public Task TellAsync(string key, int status = StatusCodes.Status200OK, string? next = null, string? nextText = null) =>
        ShowAsync<Message>(status, (nameof(Message.Key), key), (nameof(Message.Next), next), (nameof(Message.NextText), nextText));

    /// <summary>Answers with a redirect that makes a GET of it.</summary>
    /// <param name="path">As browsers know it.</param>
    public Task GoToAsync(string path)
    {
        PageHeaders.Set(Http.Response, EndsAtApps);
        Http.Response.StatusCode = StatusCodes.Status303SeeOther;
        Http.Response.Headers.Location = path;
        return Task.CompletedTask;
    }
}
